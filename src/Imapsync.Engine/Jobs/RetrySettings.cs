namespace Imapsync.Engine.Jobs;

/// <summary>How long a job retries after temporary failures.</summary>
public sealed record RetrySettings
{
    /// <summary>
    /// The number of consecutive attempts without progress before a folder, or a server that was never reached, is given up.
    /// </summary>
    public int Attempts { get; init; } = 6;

    /// <summary>The longest wait between two attempts. A server may demand a longer one.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How long a job may go without progress before it ends, because a server can't be reached any more or demands a wait.
    /// </summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Returns the wait after the given number of attempts, from 1: one second, doubled each time.</summary>
    internal TimeSpan BackOff(int tries)
    {
        var delay = TimeSpan.FromSeconds(Math.Pow(2, Math.Min(tries - 1, 30)));
        return delay < MaxDelay ? delay : MaxDelay;
    }
}
