using System.Runtime.InteropServices;

namespace Imapsync.Fleet.Commands;

/// <summary>
/// The first SIGINT or SIGTERM cancels <see cref="Token"/>, so that work in progress is finished. The second ends the process at once.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly List<PosixSignalRegistration> registrations = [];

    public StopSignals()
    {
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM })
        {
            registrations.Add(PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = !stop.IsCancellationRequested;
                _ = stop.CancelAsync();
            }));
        }
    }

    public CancellationToken Token => stop.Token;

    public Task WaitAsync() => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop.Token).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

    public void Dispose()
    {
        registrations.ForEach(r => r.Dispose());
        stop.Dispose();
    }
}
