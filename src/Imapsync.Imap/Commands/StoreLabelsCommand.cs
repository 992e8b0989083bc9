using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Commands;

/// <summary>UID STORE of Gmail's X-GM-LABELS to add or take; only where X-GM-EXT-1 is offered. Its echo is read past.</summary>
/// <param name="labels">As on the wire, at least one.</param>
internal sealed class StoreLabelsCommand(string set, bool add, IReadOnlyList<string> labels) : ImapCommand
{
    public override string Name => "UID STORE";

    public override CommandClass Class => CommandClass.NeedsSelection;

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text($"UID STORE {set} {(add ? '+' : '-')}X-GM-LABELS (");
        for (var i = 0; i < labels.Count; i++)
        {
            if (i > 0)
                writer.Text(" ");
            if (!await writer.StringAsync(labels[i]))
                return;
        }

        writer.Text(")");
    }

    public override bool OnUntagged(ref ImapResponse response) => response.Is("FETCH"u8);
}
