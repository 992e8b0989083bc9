using System.Runtime.InteropServices;

namespace Imapsync.CommandLine;

/// <summary>
/// SIGINT and SIGTERM: the first asks the run to finish its window, save and report; the second drops everything;
/// a third ends the process the ordinary way. Whoever sends SIGTERM sends SIGKILL soon after: it drops everything by itself
/// when what is in hand takes too long.
/// </summary>
internal sealed class StopSignals(TimeProvider time) : IDisposable
{
    /// <summary>With what a dropped run still needs, it leaves the process ended ten seconds after SIGTERM.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(4);

    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource abort = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private ITimer? deadline;
    private int count;

    /// <summary>Told once, at the first signal. Set before <see cref="Register"/>.</summary>
    public Action OnStop { get; set; } = () => { };

    public CancellationToken Stop => stop.Token;

    public CancellationToken Abort => abort.Token;

    /// <summary>The exit status of a run that was stopped by the first signal.</summary>
    public int InterruptedStatus { get; private set; } = ExitStatus.Interrupted;

    /// <summary>Does what a command does, until a signal stops it.</summary>
    /// <param name="work">May leave its stop to be told by the exit status: nothing was begun, or nothing changes.</param>
    public static async Task<int> GuardAsync(TimeProvider time, Func<StopSignals, CancellationToken, Task<int>> work, CancellationToken cancellationToken)
    {
        using var signals = new StopSignals(time);
        signals.Register();
        using var either = CancellationTokenSource.CreateLinkedTokenSource(signals.Stop, cancellationToken);
        try
        {
            return await work(signals, either.Token);
        }
        catch (OperationCanceledException)
        {
            return signals.InterruptedStatus;
        }
    }

    public void Register()
    {
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM })
            registrations.Add(PosixSignalRegistration.Create(signal, context => context.Cancel = Receive(context.Signal)));
    }

    /// <summary>True where the signal is dealt with.</summary>
    public bool Receive(PosixSignal signal)
    {
        switch (Interlocked.Increment(ref count))
        {
            case 1:
                InterruptedStatus = signal == PosixSignal.SIGTERM ? ExitStatus.Terminated : ExitStatus.Interrupted;
                if (signal == PosixSignal.SIGTERM)
                    deadline = time.CreateTimer(_ => abort.Cancel(), null, Grace, Timeout.InfiniteTimeSpan);
                stop.Cancel();
                OnStop();
                return true;
            case 2:
                abort.Cancel();
                return true;
            default:
                return false;
        }
    }

    public void Dispose()
    {
        registrations.ForEach(r => r.Dispose());
        deadline?.Dispose();
        stop.Dispose();
        abort.Dispose();
    }
}
