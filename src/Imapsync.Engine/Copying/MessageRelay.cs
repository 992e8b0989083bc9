using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Engine.Transfer;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Copies messages from source to target. One or more tasks read ahead. Another task appends the messages in batches ("windows") and
/// commits the accepted ones to the checkpoint. Small messages wait in memory; a big message is streamed and never buffered. No message is
/// recorded as copied before the target has durably accepted it.
/// </summary>
internal sealed class MessageRelay(JobContext context, IMessageFolder source, IWritableFolder target, ICheckpoint checkpoint, FolderTally tally)
{
    /// <summary>
    /// A window is a batch of messages appended together. It ends at this many messages, this many octets or after this time.
    /// </summary>
    private const int WindowMessages = 500;
    private const long WindowBytes = 8 << 20;
    private static readonly TimeSpan WindowTime = TimeSpan.FromSeconds(20);

    private readonly JobReporter report = context.Report;
    private readonly TimeProvider time = context.Time;
    private long copied;
    private long passedOver;

    /// <summary>UIDs of messages that the source sent, whether or not they were stored.</summary>
    public UidSet Seen { get; } = new();

    /// <summary>Messages with a transient failure, which are worth asking for again.</summary>
    public List<MessageInfo> Transient { get; } = [];

    /// <summary>
    /// True if no message was copied, and every transient failure hit a message that had not even been sent (<see
    /// cref="MailException.IsPassedOver"/>).
    /// </summary>
    public bool IsInVain => copied == 0 && passedOver == Transient.Count;

    /// <summary>The last failure caused by a store that is temporarily unavailable; null if there was none.</summary>
    public MailException? Trouble { get; private set; }

    /// <returns>False if stopped before the end.</returns>
    public async Task<bool> RunAsync(IReadOnlyList<MessageInfo> messages, CancellationToken abort)
    {
        if (!context.Target.Traits.TakesMessages)
            return await ForeseeAsync(messages, abort);
        await using var ahead = new ReadAhead(
            source, c => context.Source.OpenAgainAsync(source.Path, c), context.Spare, messages, time, context.Stop);
        while (await ahead.WaitToReadAsync(abort))
            await AppendWindowAsync(ahead, abort);
        return !ahead.WasStopped;
    }

    /// <summary>Counts all messages as copied without reading them, for a dry run whose target accepts no messages.</summary>
    private async Task<bool> ForeseeAsync(IReadOnlyList<MessageInfo> messages, CancellationToken abort)
    {
        foreach (var window in messages.Chunk(WindowMessages))
        {
            if (context.Stop.IsCancellationRequested)
                return false;
            foreach (var message in window)
            {
                Seen.Add(message.Uid);
                checkpoint.Settle(new SettledMessage(message.Uid, Uid.None, Settlement.Copied, message.Flags));
                tally.AddCopied(message.Uid, Math.Max(0, message.Size));
            }

            await checkpoint.CommitAsync(abort);
        }

        return true;
    }

    private async Task AppendWindowAsync(ReadAhead ahead, CancellationToken abort)
    {
        var window = new List<RelayedMessage>();
        try
        {
            var receipts = await target.AppendAsync(TakeWindowAsync(ahead, window, abort), abort);
            await CommitAsync(window, receipts, abort);
        }
        finally
        {
            foreach (var message in window)
                message.Dispose();
        }
    }

    /// <summary>
    /// Yields the next messages as the target requests them, and collects them in <paramref name="window"/> until the target has answered.
    /// </summary>
    private async IAsyncEnumerable<IncomingMessage> TakeWindowAsync(
        ReadAhead ahead, List<RelayedMessage> window, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken abort)
    {
        long bytes = 0;
        var began = time.GetTimestamp();
        while (window.Count < WindowMessages && bytes < WindowBytes && time.GetElapsedTime(began) < WindowTime)
        {
            if (!await MoreToReadAsync(ahead, abort))
                yield break;
            // A big message gets a window of its own. If the source's connection breaks while it is sent, no other message is affected.
            if (ahead.Peek() is not { } next || (!next.IsBuffered && window.Count > 0))
                yield break;
            ahead.Take();
            window.Add(next);
            Seen.Add(next.Message.Uid);
            if (next.Message.Failure is { } failure)
            {
                Fail(next.Message.Info, next.Message.Info.Size, failure, Reasons.Unreadable);
                continue;
            }

            bytes += next.Message.Length;
            yield return next.Deliver();
            if (!next.IsBuffered)
                yield break;
            // The target has consumed this message, so its memory is released now rather than at the end of the window.
            next.Dispose();
        }
    }

    /// <summary>
    /// Waits for the next message. A failure of the reader only ends the current window; the exception is thrown when the next window is
    /// requested.
    /// </summary>
    private static async ValueTask<bool> MoreToReadAsync(ReadAhead ahead, CancellationToken abort)
    {
        try
        {
            return await ahead.WaitToReadAsync(abort);
        }
        catch (Exception) when (!abort.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task CommitAsync(List<RelayedMessage> window, IReadOnlyList<AppendReceipt> receipts, CancellationToken abort)
    {
        var sent = window.Where(m => m.Message.Failure is null).ToDictionary(m => m.Message.Uid);
        var (count, bytes) = (0, 0L);
        foreach (var receipt in receipts)
        {
            if (!sent.Remove(receipt.Source, out var relayed))
                throw new InvalidOperationException($"{target.Path}: a receipt for UID {receipt.Source}, which was not in the window");
            var message = relayed.Message;
            if (receipt.Failure is { } failure)
            {
                Fail(message.Info, message.Length, failure, Reasons.Refused);
                continue;
            }

            checkpoint.Settle(new SettledMessage(message.Uid, receipt.Target, Settlement.Copied, message.Info.Flags, relayed.Checksum));
            tally.AddCopied(message.Uid, message.Length);
            copied++;
            (count, bytes) = (count + 1, bytes + message.Length);
            if ((receipt.Note ?? message.Note) is { } note)
                report.Note(source.Path, $"UID {message.Uid}: {note}");
        }

        if (sent.Count > 0)
            throw new InvalidOperationException($"{target.Path}: no receipt for UID {sent.Keys.First()}");
        checkpoint.SetKnownTargetUidNext(target.UidNext);
        await checkpoint.CommitAsync(abort);
        if (count > 0)
            report.Tell(new MessagesCopied(report.Job, source.Path, count, bytes));
    }

    private void Fail(in MessageInfo message, long length, MailException failure, string reason)
    {
        tally.DeliveredLengths[message.Uid] = length;
        if (failure.IsTransient)
        {
            Transient.Add(message);
            passedOver += failure.IsPassedOver ? 1 : 0;
            Trouble = failure.Kind == FailureKind.Unavailable ? failure : Trouble;
        }
        else
        {
            tally.AddHopeless(message.Uid);
        }

        tally.AddFailure(source.Path, message.Uid, reason, failure.Message);
        checkpoint.Settle(new SettledMessage(message.Uid, Uid.None, Settlement.Failed, message.Flags));
    }
}
