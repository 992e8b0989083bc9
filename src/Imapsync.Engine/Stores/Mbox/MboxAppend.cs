using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Appends one window (a batch of messages) under the lock. (1) The index records where the window begins, and is synced. (2) Each message
/// is announced in the index and then written. (3) The mbox is synced. (4) The index gets the messages' lines and "done", and is synced.
/// </summary>
internal sealed class MboxAppend : IDisposable
{
    /// <summary>The most octets of keywords in an index line. A longer line could not be read back.</summary>
    private const int MaxKeywordsLength = 16_000;

    private readonly MboxFile mbox;
    private readonly MboxLock held;
    private readonly MboxState before;
    private readonly StoreContext context;
    private readonly ByteBuffer lines = new();
    private readonly List<AppendReceipt> receipts = [];
    private readonly List<MboxRecord> appended = [];
    private readonly FlagSetPool flags = new();
    private SafeFileHandle? index;
    private MboxOutput? output;
    private long indexLength;
    private long indexStart;

    public MboxAppend(MboxFile mbox, MboxLock held, MboxState before, StoreContext context)
    {
        (this.mbox, this.held, this.before, this.context) = (mbox, held, before, context);
    }

    public IReadOnlyList<AppendReceipt> Receipts => receipts;

    private Uid NextUid => new(before.UidNext.Value + (uint)appended.Count);

    public async Task TakeAsync(IncomingMessage message, CancellationToken cancellationToken)
    {
        if (message.Failure is not null)
        {
            receipts.Add(new AppendReceipt(message.Uid, Uid.None, message.Failure));
            return;
        }

        await LocalFiles.GuardAsync(mbox.Path, () => BeginWindowAsync(cancellationToken));
        var (kept, note) = Bounded(message.Info.Flags);
        var date = message.Info.InternalDate == default ? context.Time.GetUtcNow() : message.Info.InternalDate;
        var (isWhole, given) = await CopyBodyAsync(message, date, kept, cancellationToken);
        if (!isWhole)
        {
            await LocalFiles.GuardAsync(mbox.Path, () =>
            {
                output!.Cancel();
                return Task.FromResult(true);
            });
            receipts.Add(new AppendReceipt(message.Uid, Uid.None, new MailException(
                FailureScope.Message, isTransient: true, $"the body has {given}, {message.Length} octets were announced")));
            return;
        }

        var record = await LocalFiles.GuardAsync(mbox.Path, () => output!.EndAsync(NextUid, date, kept, cancellationToken).AsTask());
        appended.Add(record);
        receipts.Add(new AppendReceipt(message.Uid, record.Uid, Note: note));
    }

    /// <summary>Makes the window durable.</summary>
    public Task<MboxState> CommitAsync(CancellationToken cancellationToken) => LocalFiles.GuardAsync(mbox.Path, async () =>
    {
        if (index is null)
            return before;
        await output!.FlushAsync(cancellationToken);
        var file = held.Mbox.SafeFileHandle;
        RandomAccess.FlushToDisk(file);
        foreach (var record in appended)
        {
            IndexLines.AppendMessage(lines, record);
            if (lines.Count >= MboxInput.BlockBytes)
                await FlushLinesAsync(cancellationToken);
        }

        var stamp = MboxStamp.Of(file);
        IndexLines.AppendDone(lines, stamp, NextUid, before.Records.Count + appended.Count);
        await FlushLinesAsync(cancellationToken);
        RandomAccess.FlushToDisk(index);
        return before with { Records = Joined(), UidNext = NextUid, Stamp = stamp };
    });

    /// <summary>
    /// Removes the whole window (batch of appended messages) from the file. If that fails, the index still shows the window as incomplete,
    /// and this program repairs the mbox before its next change.
    /// </summary>
    public async Task<MboxState> AbortAsync()
    {
        if (index is null)
            return before;
        try
        {
            var file = held.Mbox.SafeFileHandle;
            RandomAccess.SetLength(file, before.Stamp.Length);
            RandomAccess.FlushToDisk(file);
            var state = before with { Stamp = MboxStamp.Of(file) };
            lines.Clear();
            RandomAccess.SetLength(index, indexStart);
            indexLength = indexStart;
            IndexLines.AppendDone(lines, state.Stamp, state.UidNext, state.Records.Count);
            await FlushLinesAsync(CancellationToken.None);
            RandomAccess.FlushToDisk(index);
            return state;
        }
        catch (Exception error) when (FileErrors.Is(error))
        {
            return before with { Stamp = default };
        }
    }

    public void Dispose()
    {
        output?.Dispose();
        index?.Dispose();
        lines.Dispose();
    }

    /// <summary>
    /// Returns all records by extending the list of earlier ones. A listing in progress is not affected, because it takes the list's count
    /// when it begins.
    /// </summary>
    private List<MboxRecord> Joined()
    {
        var records = before.Records as List<MboxRecord> ?? [.. before.Records];
        records.AddRange(appended);
        return records;
    }

    private async Task<bool> BeginWindowAsync(CancellationToken cancellationToken)
    {
        if (index is not null)
            return true;
        DurableFiles.RequireNoLink(mbox.IndexPath);
        index = File.OpenHandle(mbox.IndexPath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        indexStart = indexLength = RandomAccess.GetLength(index);
        var file = held.Mbox.SafeFileHandle;
        var end = RandomAccess.GetLength(file);
        IndexLines.AppendWindow(lines, end, before.UidNext);
        await FlushLinesAsync(cancellationToken);
        RandomAccess.FlushToDisk(index);
        output = new MboxOutput(file, end, (offset, begun) => IndexLines.AppendBegin(lines, offset, begun), AnnounceAsync);
        await output.WriteRawAsync(await MissingEndAsync(file, end, cancellationToken), cancellationToken);
        return true;
    }

    /// <summary>Returns the line ends (one or two) to append before the first message if the file does not end in an empty line.</summary>
    private static async Task<ReadOnlyMemory<byte>> MissingEndAsync(SafeFileHandle file, long end, CancellationToken cancellationToken)
    {
        if (end == 0)
            return default;
        using var input = new MboxInput(file);
        var tail = await input.GetAsync(Math.Max(0, end - 3), 3, cancellationToken);
        if (tail.Span.EndsWith("\n\n"u8) || tail.Span.EndsWith("\n\r\n"u8))
            return default;
        return (tail.Span.EndsWith("\n"u8) ? "\n"u8 : "\n\n"u8).ToArray();
    }

    private async Task<(bool IsWhole, string Given)> CopyBodyAsync(IncomingMessage message, DateTimeOffset date, FlagSet kept, CancellationToken cancellationToken)
    {
        var hasBegun = false;
        long octets = 0;
        while (true)
        {
            var read = await message.Body.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            if (!hasBegun && !read.IsCompleted && buffer.Length < Math.Min(Sender.LookAheadBytes, message.Length))
            {
                message.Body.AdvanceTo(buffer.Start, buffer.End);
                continue;
            }

            if (!hasBegun)
            {
                hasBegun = true;
                output!.Begin(Postmark.Format(SenderOf(buffer), date), message.Length, kept);
            }

            octets += buffer.Length;
            if (octets > message.Length)
            {
                message.Body.AdvanceTo(buffer.End);
                return (false, "more");
            }

            foreach (var segment in buffer)
                await LocalFiles.GuardAsync(mbox.Path, () => output!.WriteAsync(segment, cancellationToken));
            message.Body.AdvanceTo(buffer.End);
            if (read.IsCompleted || read.IsCanceled)
                return (octets == message.Length, $"{octets}");
        }
    }

    private static string SenderOf(System.Buffers.ReadOnlySequence<byte> buffer)
    {
        var beginning = buffer.Length > Sender.LookAheadBytes ? buffer.Slice(0, Sender.LookAheadBytes) : buffer;
        return Sender.Find(beginning.IsSingleSegment ? beginning.FirstSpan : System.Buffers.BuffersExtensions.ToArray(beginning));
    }

    private (FlagSet Kept, string? Note) Bounded(FlagSet wanted)
    {
        if (wanted.Keywords.Sum(k => (long)k.Length) <= MaxKeywordsLength)
            return (flags.Intern(wanted), null);
        var length = 0L;
        var fitting = wanted.Keywords.TakeWhile(k => (length += k.Length) <= MaxKeywordsLength).ToArray();
        return (FlagSet.Create(wanted.System, fitting), $"only {fitting.Length} of {wanted.Keywords.Length} keywords find room");
    }

    /// <summary>
    /// Records in the index what is about to be written. Otherwise, after a power cut, the next run could not recognise a torn message as
    /// this program's.
    /// </summary>
    private async ValueTask AnnounceAsync(CancellationToken cancellationToken)
    {
        if (lines.Count == 0)
            return;
        await FlushLinesAsync(cancellationToken);
        RandomAccess.FlushToDisk(index!);
    }

    private async ValueTask FlushLinesAsync(CancellationToken cancellationToken)
    {
        if (lines.Count == 0)
            return;
        await RandomAccess.WriteAsync(index!, lines.Written, indexLength, cancellationToken);
        indexLength += lines.Count;
        lines.Clear();
    }
}
