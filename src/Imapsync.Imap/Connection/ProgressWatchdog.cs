namespace Imapsync.Imap.Connection;

/// <summary>
/// Reports a stall in two cases. (1) A command is in flight, this client waits for the network, and no octet moves for the stall timeout.
/// (2) In thirty times the timeout, nothing is answered and less than 1 MiB moves, as when a server sends one octet a minute.
/// No time is counted while a consumer holds a body without reading on, or while the watchdog is paused. Commands have no other timeout.
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

    // Counted since the last answer or the last 1 MiB: the timer ticks spent waiting, and the octets moved.
    private int trickleTicks;
    private long trickledBytes;

    /// <param name="onStall">Called once for each stall, on a timer's task, with a description such as "was silent for 120 s".</param>
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

    /// <summary>How long no command has been in flight; zero while one is.</summary>
    public TimeSpan QuietTime
    {
        get
        {
            lock (gate)
                return inFlight > 0 ? TimeSpan.Zero : time.GetElapsedTime(quietSince);
        }
    }

    /// <summary>Whether this client waits for the octets that it is to send, not for the network.</summary>
    public bool IsPaused
    {
        get
        {
            lock (gate)
                return paused > 0;
        }
    }

    /// <summary>Reports that a network read or write has begun.</summary>
    public void TransferPending()
    {
        lock (gate)
        {
            if (pendingTransfers++ == 0)
                lastActivity = time.GetTimestamp();
        }
    }

    /// <summary>Reports that a network read or write has ended.</summary>
    /// <param name="octets">How many octets it moved.</param>
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

    /// <summary>Stops counting time until the result is disposed, because this client is waiting for its caller, not for the network.</summary>
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
