using Imapsync.Engine.Progress;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Working;

/// <summary>Why an attempt is to end before the job is finished.</summary>
internal enum EndReason
{
    None,
    Pause,
    Cancel,
    Drain,

    /// <summary>The lease expired or was taken away, so nothing may be written any more.</summary>
    Lost,
}

/// <summary>An attempt that this worker runs: its lease, as far as this worker knows, and its progress.</summary>
/// <param name="holdFor">How long the lease can be relied on after its last renewal was sent: its duration less a margin.</param>
internal sealed class AccountAtWork(StartedAccount account, TimeSpan holdFor, long sent, DateTimeOffset sentAt, TimeProvider time) : IDisposable
{
    private readonly Lock gate = new();
    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource abort = new();
    private long renewed = sent;
    private DateTimeOffset renewedAt = sentAt;
    private EndReason reason;
    private AccountProgress progress = new(account.Account, account.Attempt, 0, 0, 0, "");

    public StartedAccount Account => account;

    public AttemptLog Log { get; } = new(time);

    /// <summary>Cancelled when the attempt is to finish the work in progress and end.</summary>
    public CancellationToken Stop => stop.Token;

    /// <summary>Cancelled when the attempt is to end at once and drop all work.</summary>
    public CancellationToken Abort => abort.Token;

    public EndReason Reason
    {
        get
        {
            lock (gate)
                return reason;
        }
    }

    public AccountProgress Progress
    {
        get
        {
            lock (gate)
                return progress;
        }
    }

    /// <summary>
    /// Whether the lease is still valid by both of this machine's clocks: (1) the monotonic clock, which nobody can set but which may stop
    /// while the machine is suspended, and (2) the time of day.
    /// </summary>
    public bool IsHeld
    {
        get
        {
            lock (gate)
                return reason != EndReason.Lost && time.GetElapsedTime(renewed) < holdFor && time.GetUtcNow() - renewedAt < holdFor;
        }
    }

    /// <summary>Records that a renewal of the lease was granted.</summary>
    /// <param name="sent">When the renewal was sent, by the monotonic clock.</param>
    /// <param name="sentAt">The same moment as a time of day.</param>
    public void Renew(long sent, DateTimeOffset sentAt)
    {
        lock (gate)
            (renewed, renewedAt) = (sent, sentAt);
    }

    /// <summary>Asks the attempt to end. The first reason is kept; only a lost lease replaces an earlier reason.</summary>
    public void End(EndReason why)
    {
        lock (gate)
        {
            if (reason == EndReason.None || why == EndReason.Lost)
                reason = why;
        }

        Cancel(why == EndReason.Lost ? abort : stop);
    }

    /// <summary>Makes the attempt end at once, without waiting for the work in progress.</summary>
    public void Drop() => Cancel(abort);

    /// <summary>Checks the lease; to be called before anything is written to a mailbox.</summary>
    /// <exception cref="OperationCanceledException">The lease is no longer valid.</exception>
    public void Require()
    {
        if (IsHeld)
            return;
        lock (gate)
            reason = EndReason.Lost;
        // Cancel synchronously, so that the code which catches this exception sees that the cancellation was requested.
        abort.Cancel();
        throw new OperationCanceledException(abort.Token);
    }

    public void Show(JobEvent happened)
    {
        Log.Add(happened);
        lock (gate)
        {
            progress = happened switch
            {
                FoldersPlanned planned => progress with { Planned = planned.Messages },
                FolderStarted folder => progress with { Folder = folder.Source.ToString() },
                MessagesCopied copied => progress with { Copied = progress.Copied + copied.Count, Bytes = progress.Bytes + copied.Bytes },
                _ => progress,
            };
        }
    }

    private static void Cancel(CancellationTokenSource source)
    {
        try
        {
            // Run the callbacks elsewhere than on the caller's stack, because the caller looks after other attempts too.
            _ = source.CancelAsync();
        }
        catch (ObjectDisposedException)
        {
            // The attempt has already ended by itself.
        }
    }

    public void Dispose()
    {
        stop.Dispose();
        abort.Dispose();
    }
}
