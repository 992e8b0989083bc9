using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Commands;

/// <summary>RENAME (RFC 9051 §6.3.6).</summary>
internal sealed class RenameCommand(string wireName, string newWireName) : ImapCommand
{
    public override string Name => "RENAME";

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("RENAME ");
        if (!await writer.StringAsync(wireName))
            return;
        writer.Text(" ");
        await writer.StringAsync(newWireName);
    }
}
