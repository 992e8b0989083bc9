using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// Flags of messages, with date and size where wanted, in the order the server sent them; a message may come twice,
    /// the later flags count.
    /// </summary>
    /// <param name="set">A sequence set of UIDs, e.g. <c>1:*</c>.</param>
    /// <param name="rows">Where they are added to.</param>
    public async Task FetchMetadataAsync(
        string set, bool withDateAndSize, ModSeq? changedSince, List<FetchedMessage> rows, CancellationToken cancellationToken)
    {
        var command = new FetchMetadataCommand(set, withDateAndSize, changedSince, rows, MaxRows, options.Limits);
        await connection.ExecuteAsync(command, cancellationToken);
    }

    /// <summary>More than this and the server is making messages up.</summary>
    private long MaxRows() => Math.Min((connection.Exists * 2) + 10_000, options.Limits.MaxMessages);
}

/// <param name="InternalDate">Default where not asked for or not a date.</param>
/// <param name="Size">Octets; -1 where not asked for or not a number.</param>
public readonly record struct FetchedMessage(Uid Uid, FlagSet Flags, DateTimeOffset InternalDate, long Size);

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
        RequireRoom(rows.Count, maxRows());
        rows.Add(new FetchedMessage(items.Uid, items.Flags, items.InternalDate ?? default, items.Size));
        return true;
    }

    /// <exception cref="ImapProtocolException">There are more rows than a listing may have.</exception>
    public static void RequireRoom(int rows, long most)
    {
        if (rows >= most)
            throw new ImapProtocolException($"the server listed more than {rows} messages and said there were fewer than half as many, or no folder has so many");
    }
}
