using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Commands;

/// <summary>NOOP (RFC 9051 §6.1.2): lets the server tell what changed in the selected folder.</summary>
internal sealed class NoopCommand : ImapCommand
{
    public override string Name => "NOOP";

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("NOOP");
        return ValueTask.CompletedTask;
    }
}
