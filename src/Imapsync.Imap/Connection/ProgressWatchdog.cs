namespace Imapsync.Imap.Connection;

/// <summary>
/// Fires when something is in flight, this side waits for the network, and no octet moved for the stall timeout; or when for
/// thirty times as long nothing was answered and hardly anything moved, which a server can keep up for ever with an octet a minute.
/// While a consumer holds a body without asking for more, no read is pending and nothing is counted; while this side waits
/// for its own source of octets it is paused. There is no other timeout on commands.
/// </summary>
internal sealed class ProgressWatchdog : IDisposable
{
    private const int TicksInTimeout = 8;
    private const int TrickleTimeouts = 30;
    private const long TrickleBytes = 1 << 20;

    private readonly Lock gate = new();
    private readonly TimeProvider time;
    private readonly TimeSpan timeout;
    private readonly Action<string> onStall;
    private readonly ITimer timer;
    private long lastActivity;
    private long quietSince;
    private int pendingTransfers;
    private int inFlight;
    private int paused;

    // Since the last answer or the last so many octets: waited for, in ticks, and moved.
    private int trickleTicks;
    private long trickledBytes;

    /// <param name="onStall">Called at most once for each stall, from a timer's task, with what the server did.</param>
    public ProgressWatchdog(TimeProvider time, TimeSpan timeout, Action<string> onStall)
    {
        this.time = time;
        this.timeout = timeout;
        this.onStall = onStall;
        lastActivity = quietSince = time.GetTimestamp();
        var tick = timeout / TicksInTimeout;
        timer = time.CreateTimer(static w => ((ProgressWatchdog)w!).Check(), this, tick, tick);
    }

    public void CommandSent()
    {
        lock (gate)
        {
            if (inFlight++ > 0)
                return;
            lastActivity = time.GetTimestamp();
            BeginTrickle();
        }
    }

    public void CommandAnswered()
    {
        lock (gate)
        {
            inFlight--;
            BeginTrickle();
            quietSince = time.GetTimestamp();
        }
    }

    /// <summary>For how long no command has been in flight; zero while one is.</summary>
    public TimeSpan QuietTime
    {
        get
        {
            lock (gate)
                return inFlight > 0 ? TimeSpan.Zero : time.GetElapsedTime(quietSince);
        }
    }

    /// <summary>This side waits for its own source.</summary>
    public bool IsPaused
    {
        get
        {
            lock (gate)
                return paused > 0;
        }
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

    /// <param name="octets">That moved.</param>
    public void TransferDone(int octets)
    {
        lock (gate)
        {
            pendingTransfers--;
            if (octets > 0)
                lastActivity = time.GetTimestamp();
            if ((trickledBytes += octets) >= TrickleBytes)
                BeginTrickle();
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
        string what;
        lock (gate)
        {
            if (inFlight == 0 || paused > 0 || pendingTransfers == 0)
                return;
            if (time.GetElapsedTime(lastActivity) >= timeout)
                what = $"was silent for {timeout.TotalSeconds:0} s";
            else if (++trickleTicks >= TrickleTimeouts * TicksInTimeout)
                what = $"moved {trickledBytes} octets in {TrickleTimeouts * timeout.TotalMinutes:0} min";
            else
                return;
            lastActivity = time.GetTimestamp();
            BeginTrickle();
        }

        onStall(what);
    }

    private void BeginTrickle() => (trickleTicks, trickledBytes) = (0, 0);

    public readonly struct PauseScope(ProgressWatchdog owner) : IDisposable
    {
        public void Dispose() => owner.Resume();
    }
}
