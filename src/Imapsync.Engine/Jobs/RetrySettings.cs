namespace Imapsync.Engine.Jobs;

/// <summary>How patient a job is with what may pass.</summary>
public sealed record RetrySettings
{
    /// <summary>Tries in a row that get nowhere before a folder, or a server that was never reached, is given up.</summary>
    public int Attempts { get; init; } = 6;

    /// <summary>The longest wait between two tries. What a server asks for may be longer.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How long nothing may get on because a server can't be reached any more or wants to be left alone, before the job ends.</summary>
    public TimeSpan GiveUpAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long to wait after so many tries, from 1: a second, and twice as long each time.</summary>
    internal TimeSpan BackOff(int tries)
    {
        var delay = TimeSpan.FromSeconds(Math.Pow(2, Math.Min(tries - 1, 30)));
        return delay < MaxDelay ? delay : MaxDelay;
    }
}
