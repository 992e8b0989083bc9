using System.Runtime.InteropServices;

namespace Imapsync.CommandLine;

/// <summary>
/// Handles SIGINT and SIGTERM. The first signal asks the run to finish the messages being copied, save and report. The second aborts
/// everything. A third ends the process in the default way. SIGTERM is usually followed by SIGKILL, so the first SIGTERM also leads to an
/// abort if finishing takes too long.
/// </summary>
internal sealed class StopSignals(TimeProvider time) : IDisposable
{
    /// <summary>The time between SIGTERM and the abort. With the time that an aborted run needs, the process ends within ten seconds.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(4);

    private readonly CancellationTokenSource stop = new();
    private readonly CancellationTokenSource abort = new();
    private readonly List<PosixSignalRegistration> registrations = [];
    private ITimer? deadline;
    private int count;

    /// <summary>Called once, at the first signal. Must be set before <see cref="Register"/>.</summary>
    public Action OnStop { get; set; } = () => { };

    public CancellationToken Stop => stop.Token;

    public CancellationToken Abort => abort.Token;

    /// <summary>The exit status of a run that the first signal stopped.</summary>
    public int InterruptedStatus { get; private set; } = ExitStatus.Interrupted;

    /// <summary>Runs a command's work until it ends or a signal stops it.</summary>
    /// <param name="work">
    /// The work. An <see cref="OperationCanceledException"/>, which it may throw if it was stopped before it changed
    /// anything, becomes the exit status.
    /// </param>
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

    /// <summary>Handles a signal. Returns false when the default action must follow.</summary>
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
