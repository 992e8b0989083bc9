namespace Imapsync.Fleet.Dashboard;

/// <summary>Slows guessing at the sign-in page: wrong tokens are answered one after the other, one a second. Right ones never wait.</summary>
internal sealed class WrongTokens(TimeProvider time) : IDisposable
{
    private const int MostWaiting = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim turn = new(1);
    private int waiting;

    /// <summary>Returns when a wrong token may be answered; false, at once, where too many wait already.</summary>
    public async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (Interlocked.Increment(ref waiting) > MostWaiting)
                return false;
            await turn.WaitAsync(cancellationToken);
            try
            {
                await Task.Delay(Pause, time, cancellationToken);
                return true;
            }
            finally
            {
                turn.Release();
            }
        }
        finally
        {
            Interlocked.Decrement(ref waiting);
        }
    }

    public void Dispose() => turn.Dispose();
}
