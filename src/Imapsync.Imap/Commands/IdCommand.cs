using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Commands;

/// <summary>ID (RFC 2971): tells who we are, learns who the server is.</summary>
internal sealed class IdCommand : ImapCommand
{
    private const int MaxFields = 30;

    public override string Name => "ID";

    /// <summary>Lower-case field name → value.</summary>
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
            for (var name = response.Arguments.Next(); name.IsString && Server.Count < MaxFields; name = response.Arguments.Next())
            {
                var value = response.Arguments.Next();
                if (value.IsString && !value.IsNil)
                    Server[name.ToText().ToLowerInvariant()] = value.ToText();
            }
        }

        return true;
    }
}
