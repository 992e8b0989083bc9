using Imapsync.Imap.Connection;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// Fetches the flags of messages, and their internal date and size if wanted, in the order in which the server sends them. A message
    /// may appear more than once; the flags that were sent last are the valid ones.
    /// </summary>
    /// <param name="set">A sequence set of UIDs, e.g. <c>1:*</c>.</param>
    /// <param name="rows">The list to which the messages are added.</param>
    public async Task FetchMetadataAsync(
        string set, bool withDateAndSize, ModSeq? changedSince, List<FetchedMessage> rows, CancellationToken cancellationToken)
    {
        var command = new FetchMetadataCommand(set, withDateAndSize, changedSince, rows, MaxRows, options.Limits);
        await connection.ExecuteAsync(command, cancellationToken);
    }

    /// <summary>The most rows of one listing. A server that sends more lists messages that do not exist.</summary>
    private long MaxRows() => Math.Min((connection.Exists * 2) + 10_000, options.Limits.MaxMessages);
}

/// <param name="InternalDate">The date of arrival; default if it was not requested or the server sent no valid date.</param>
/// <param name="Size">Octets; -1 if the size was not requested or the server sent no valid number.</param>
/// <param name="SequenceNumber">The number in <c>* 12 FETCH</c>.</param>
public readonly record struct FetchedMessage(Uid Uid, FlagSet Flags, DateTimeOffset InternalDate, long Size, uint SequenceNumber);

/// <summary>
/// UID FETCH of the flags of many messages, with date and size if wanted. Flags that the server reports unasked during the command are
/// included.
/// </summary>
/// <param name="set">A sequence set of UIDs, e.g. <c>1:*</c>.</param>
/// <param name="maxRows">Returns the limit on the rows of the listing; more rows are a protocol error.</param>
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
        rows.Add(new FetchedMessage(items.Uid, items.Flags, items.InternalDate ?? default, items.Size, response.Number ?? 0));
        return true;
    }

    /// <exception cref="ImapProtocolException">The listing already has the permitted number of rows.</exception>
    public static void RequireRoom(int rows, long most)
    {
        if (rows >= most)
            throw new ImapProtocolException($"the server listed more than {rows} messages and said there were fewer than half as many, or no folder has so many");
    }
}
