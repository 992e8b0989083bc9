using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Commands;

/// <summary>UID FETCH of flags, and of date and size where wanted, in bulk. Unsolicited flags that come between count too.</summary>
/// <param name="set">A sequence set as it goes on the wire.</param>
/// <param name="maxRows">More than this and the server is making messages up.</param>
internal sealed class FetchMetadataCommand(string set, bool withDateAndSize, ModSeq? changedSince, List<FetchedMessage> rows, Func<long> maxRows, ImapLimits limits) : ImapCommand
{
    private const int RowBytes = 512;

    private readonly FlagReader flags = new(limits);

    public override string Name => "UID FETCH";

    public override CommandClass Class => CommandClass.NeedsSelection;

    public override long ExpectedBytes => maxRows() * RowBytes;

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text($"UID FETCH {set} (UID FLAGS{(withDateAndSize ? " INTERNALDATE RFC822.SIZE" : "")})");
        if (changedSince is { } since)
            writer.Text($" (CHANGEDSINCE {since})");
        return ValueTask.CompletedTask;
    }

    public override bool OnUntagged(ref ImapResponse response)
    {
        if (!response.Is("FETCH"u8))
            return false;
        var items = FetchItems.Read(response.Arguments, flags);
        if (items.Uid.IsNone || items.Flags is null)
            return true;
        DemandRoom(rows.Count, maxRows());
        rows.Add(new FetchedMessage(items.Uid, items.Flags, items.InternalDate ?? default, items.Size));
        return true;
    }

    /// <exception cref="ImapProtocolException">There are more rows than a listing may have.</exception>
    public static void DemandRoom(int rows, long most)
    {
        if (rows >= most)
            throw new ImapProtocolException($"the server listed more than {rows} messages and said there were fewer than half as many, or no folder has so many");
    }
}
