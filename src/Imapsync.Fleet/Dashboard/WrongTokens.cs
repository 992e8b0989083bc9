namespace Imapsync.Fleet.Dashboard;

/// <summary>
/// Slows down the guessing of tokens at the sign-in page: only one wrong token is answered each second. Right tokens never wait.
/// </summary>
internal sealed class WrongTokens(TimeProvider time) : IDisposable
{
    private const int MostWaiting = 20;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim turn = new(1);
    private int waiting;

    /// <summary>Waits until a wrong token may be answered. Returns false at once if too many requests wait already.</summary>
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
