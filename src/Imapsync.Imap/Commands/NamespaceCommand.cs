using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Commands;

/// <summary>NAMESPACE (RFC 9051 §6.3.10).</summary>
internal sealed class NamespaceCommand : ImapCommand
{
    private const int MaxNamespaces = 100;

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
                if (Namespaces.Count < MaxNamespaces)
                    Namespaces.Add(new ImapNamespace(kind, prefix.IsNil ? "" : prefix.ToLatin1(), ListCommand.Delimiter(delimiter)));
                response.Arguments.SkipList();
            }
        }

        return true;
    }
}
