using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Retrying;

/// <summary>
/// Decides for one piece of work whether and when it is retried. Attempts are counted since the last progress: a connection that breaks
/// repeatedly is no reason to give up while messages get through.
/// </summary>
/// <param name="progress">Returns a number that grows as the work progresses.</param>
/// <param name="wasReached">
/// Whether the stores were open before. If so, a host that can't be reached now is down, and its name is not misspelt.
/// </param>
internal sealed class RetryPolicy(RetrySettings settings, TimeProvider time, Func<long> progress, bool wasReached)
{
    private long done = progress();
    private int failedAttempts;
    private long since;

    /// <summary>The delay before the next attempt, valid after <see cref="Allows"/> returned true.</summary>
    public TimeSpan Wait { get; private set; }

    /// <summary>The number of attempts since the last progress.</summary>
    public int Tries => failedAttempts;

    /// <summary>Whether the time limit was the reason for giving up, and not the number of attempts.</summary>
    public bool IsOutOfTime { get; private set; }

    public bool Allows(MailException failure)
    {
        if (!failure.IsTransient)
            return false;
        if (progress() is var now && now > done)
            (done, failedAttempts) = (now, 0);
        if (failedAttempts++ == 0)
            since = time.GetTimestamp();
        // The host's circuit is open because other jobs failed to connect. Those failures count for this job too, so it makes only one more attempt
        // before it gives up.
        if (!wasReached && failure is { Kind: FailureKind.Connect, RetryAfter: not null })
            failedAttempts = Math.Max(failedAttempts, settings.Attempts - 1);
        // The delay is randomly reduced by up to half, so that many jobs don't reconnect at the same time.
        Wait = failure.RetryAfter ?? settings.BackOff(failedAttempts) * (1 - (Random.Shared.NextDouble() / 2));
        var isServersDoing = failure.Scope == FailureScope.Store && (wasReached || failure.Kind != FailureKind.Connect);
        if (!isServersDoing && failedAttempts >= settings.Attempts)
            return false;
        IsOutOfTime = time.GetElapsedTime(since) + Wait > settings.GiveUpAfter;
        return !IsOutOfTime;
    }
}
