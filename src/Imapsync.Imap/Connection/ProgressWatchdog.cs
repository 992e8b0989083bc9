namespace Imapsync.Imap.Connection;

/// <summary>
/// Fires when something is in flight, this side waits for the network, and no octet moved for the stall timeout.
/// While a consumer holds a body without asking for more, no read is pending and nothing is counted; while this side waits
/// for its own source of octets it is paused. There is no other timeout on commands.
/// </summary>
internal sealed class ProgressWatchdog : IDisposable
{
    private readonly Lock gate = new();
    private readonly TimeProvider time;
    private readonly TimeSpan timeout;
    private readonly Action onStall;
    private readonly ITimer timer;
    private long lastActivity;
    private int pendingTransfers;
    private int inFlight;
    private int paused;

    /// <param name="onStall">Called at most once for each stall, from a timer's task.</param>
    public ProgressWatchdog(TimeProvider time, TimeSpan timeout, Action onStall)
    {
        this.time = time;
        this.timeout = timeout;
        this.onStall = onStall;
        lastActivity = time.GetTimestamp();
        var tick = timeout / 8;
        timer = time.CreateTimer(static w => ((ProgressWatchdog)w!).Check(), this, tick, tick);
    }

    public void CommandSent()
    {
        lock (gate)
        {
            if (inFlight++ == 0)
                lastActivity = time.GetTimestamp();
        }
    }

    public void CommandAnswered()
    {
        lock (gate)
            inFlight--;
    }

    /// <summary>A read or write of the network begins to wait.</summary>
    public void TransferPending()
    {
        lock (gate)
        {
            if (pendingTransfers++ == 0)
                lastActivity = time.GetTimestamp();
        }
    }

    public void TransferDone(bool moved)
    {
        lock (gate)
        {
            pendingTransfers--;
            if (moved)
                lastActivity = time.GetTimestamp();
        }
    }

    /// <summary>The wait that follows is this side's own, until the result is disposed.</summary>
    public PauseScope Pause()
    {
        lock (gate)
            paused++;
        return new PauseScope(this);
    }

    public void Dispose() => timer.Dispose();

    private void Resume()
    {
        lock (gate)
        {
            paused--;
            lastActivity = time.GetTimestamp();
        }
    }

    private void Check()
    {
        lock (gate)
        {
            if (inFlight == 0 || paused > 0 || pendingTransfers == 0 || time.GetElapsedTime(lastActivity) < timeout)
                return;
            lastActivity = time.GetTimestamp();
        }

        onStall();
    }

    public readonly struct PauseScope(ProgressWatchdog owner) : IDisposable
    {
        public void Dispose() => owner.Resume();
    }
}
