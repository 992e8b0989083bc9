using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Commands;

/// <summary>UID EXPUNGE (RFC 4315 §2.1): only the messages named, and of them only those marked \Deleted.</summary>
internal sealed class ExpungeCommand(string set) : ImapCommand
{
    public override string Name => "UID EXPUNGE";

    public override CommandClass Class => CommandClass.NeedsSelection;

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("UID EXPUNGE " + set);
        return ValueTask.CompletedTask;
    }
}
