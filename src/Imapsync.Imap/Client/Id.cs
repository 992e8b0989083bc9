using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    private IdCommand? id;

    /// <summary>Asks the server for its identification (RFC 2971).</summary>
    /// <returns>Lower-case field names and their values; empty if the server declines to answer.</returns>
    public async Task<IReadOnlyDictionary<string, string>> IdAsync(CancellationToken cancellationToken)
    {
        connection.ThrowIfBroken();
        if (id is null)
            HoldId();
        await connection.SendHeldAsync(cancellationToken);
        await connection.AnswerAsync(id!, cancellationToken);
        return id!.Server;
    }

    private void HoldId() => connection.Hold(id = new IdCommand(options.Limits));
}

/// <summary>ID (RFC 2971): sends this client's name and receives the server's.</summary>
internal sealed class IdCommand(ImapLimits limits) : ImapCommand
{
    public override string Name => "ID";

    /// <summary>The fields of the server's ID response (RFC 2971): lower-case name → value.</summary>
    public Dictionary<string, string> Server { get; } = [];

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("ID (\"name\" \"imapsync\")");
        return ValueTask.CompletedTask;
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (!response.Is("ID"u8))
            return false;
        if (response.Arguments.Next().Kind == TokenKind.Open)
        {
            for (var name = response.Arguments.Next(); name.IsString && Server.Count < limits.MaxShortList; name = response.Arguments.Next())
            {
                var value = response.Arguments.Next();
                if (value.IsString && !value.IsNil)
                    Server[name.ToText().ToLowerInvariant()] = value.ToText();
            }
        }

        return true;
    }
}
