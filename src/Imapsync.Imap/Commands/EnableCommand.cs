using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Commands;

/// <summary>ENABLE (RFC 5161). OK without ENABLED (iCloud) counts as enabled.</summary>
internal sealed class EnableCommand(string extension) : ImapCommand
{
    public override string Name => "ENABLE";

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("ENABLE " + extension);
        return ValueTask.CompletedTask;
    }
}
