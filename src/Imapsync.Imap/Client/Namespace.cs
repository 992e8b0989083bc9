using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    public async Task<IReadOnlyList<ImapNamespace>> NamespaceAsync(CancellationToken cancellationToken)
    {
        var command = new NamespaceCommand(options.Limits);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Namespaces;
    }
}

public enum NamespaceKind
{
    Personal,
    Others,
    Shared,
}

/// <param name="Prefix">The prefix in wire form, one character for each octet; it usually includes the trailing delimiter.</param>
public sealed record ImapNamespace(NamespaceKind Kind, string Prefix, char? Delimiter);

/// <summary>NAMESPACE (RFC 9051 §6.3.10).</summary>
internal sealed class NamespaceCommand(ImapLimits limits) : ImapCommand
{
    public override string Name => "NAMESPACE";

    public List<ImapNamespace> Namespaces { get; } = [];

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("NAMESPACE");
        return ValueTask.CompletedTask;
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (!response.Is("NAMESPACE"u8))
            return false;
        foreach (var kind in (NamespaceKind[])[NamespaceKind.Personal, NamespaceKind.Others, NamespaceKind.Shared])
        {
            if (response.Arguments.Next().Kind != TokenKind.Open)
                continue;
            while (response.Arguments.Next().Kind == TokenKind.Open)
            {
                var prefix = response.Arguments.Next();
                var delimiter = response.Arguments.Next();
                if (Namespaces.Count < limits.MaxShortList)
                    Namespaces.Add(new ImapNamespace(kind, prefix.IsNil ? "" : prefix.ToLatin1(), ListCommand.Delimiter(delimiter)));
                response.Arguments.SkipList();
            }
        }

        return true;
    }
}
