using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Retrying;

/// <summary>
/// Decides for one piece of work whether and when it is tried again. Tries are counted from the last one that got on: a line
/// that is cut again and again is no reason to give up as long as mail passes between the cuts.
/// </summary>
/// <param name="progress">Grows when the work gets on.</param>
/// <param name="wasReached">The stores were open once: what cannot be reached now is down, not misspelt.</param>
internal sealed class RetryPolicy(RetrySettings settings, TimeProvider time, Func<long> progress, bool wasReached)
{
    private long done = progress();
    private int failedAttempts;
    private long since;

    /// <summary>Before the next try, after <see cref="Allows"/> said that there is one.</summary>
    public TimeSpan Wait { get; private set; }

    /// <summary>Tries since the work last got on.</summary>
    public int Tries => failedAttempts;

    /// <summary>It was given up because a wait would have ended too late, not because of the number of tries.</summary>
    public bool IsOutOfTime { get; private set; }

    public bool Allows(MailException failure)
    {
        if (!failure.IsTransient)
            return false;
        if (progress() is var now && now > done)
            (done, failedAttempts) = (now, 0);
        if (failedAttempts++ == 0)
            since = time.GetTimestamp();
        // The host is left alone because others failed: they tried for this one as well, and one more try is enough.
        if (!wasReached && failure is { Kind: FailureKind.Connect, RetryAfter: not null })
            failedAttempts = Math.Max(failedAttempts, settings.Attempts - 1);
        // Up to half of it less by chance, so that many jobs do not come back at once.
        Wait = failure.RetryAfter ?? settings.BackOff(failedAttempts) * (1 - (Random.Shared.NextDouble() / 2));
        var isServersDoing = failure.Scope == FailureScope.Store && (wasReached || failure.Kind != FailureKind.Connect);
        if (!isServersDoing && failedAttempts >= settings.Attempts)
            return false;
        IsOutOfTime = time.GetElapsedTime(since) + Wait > settings.GiveUpAfter;
        return !IsOutOfTime;
    }
}
