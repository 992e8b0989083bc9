using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Commands;

/// <summary>UID COPY (RFC 9051 §6.4.7) or UID MOVE (RFC 6851).</summary>
internal sealed class CopyCommand(string set, string targetWireName, bool move) : ImapCommand
{
    public override string Name => move ? "UID MOVE" : "UID COPY";

    public override CommandClass Class => CommandClass.NeedsSelection;

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text($"{Name} {set} ");
        await writer.StringAsync(targetWireName);
    }
}
