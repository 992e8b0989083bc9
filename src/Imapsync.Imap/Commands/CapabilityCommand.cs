using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Commands;

/// <summary>CAPABILITY (RFC 9051 §6.1.1). The connection keeps what comes, asked for or not.</summary>
internal sealed class CapabilityCommand : ImapCommand
{
    public override string Name => "CAPABILITY";

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("CAPABILITY");
        return ValueTask.CompletedTask;
    }

    public static ImapCapabilities Read(Tokenizer arguments, ImapLimits limits)
    {
        var names = new List<string>();
        for (var token = arguments.Next(); token.Kind != TokenKind.End && names.Count < limits.MaxCapabilities; token = arguments.Next())
        {
            if (token.Kind == TokenKind.Atom)
                names.Add(token.ToLatin1());
        }

        return new ImapCapabilities(names);
    }
}
