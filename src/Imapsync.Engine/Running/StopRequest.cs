using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Running;

/// <summary>
/// Asks a running job to finish its current work and end, either because a user asked for it or because the job reached one of its own limits.
/// </summary>
/// <param name="stop">Cancelled by the user; takes precedence over a limit.</param>
internal sealed class StopRequest(JobReporter report, CancellationToken stop, CancellationToken abort) : IDisposable
{
    private readonly CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(stop, abort);
    private Problem? limit;

    /// <summary>Cancelled to end waiting and further reading; work already begun is finished.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>
    /// Ends the job as incomplete, with the reason among its problems. May be called from any task and more than once; the first call counts.
    /// </summary>
    /// <param name="reason">A short fixed word for programs, as in <see cref="Problem"/>.</param>
    public void ReachLimit(string reason, string text)
    {
        if (source.IsCancellationRequested || Interlocked.CompareExchange(ref limit, new Problem(FailureScope.Store, null, null, reason, text), null) is not null)
            return;
        // CancelAsync runs the callbacks on another task, because the caller may be inside the work that is cancelled.
        _ = source.CancelAsync();
    }

    /// <summary>
    /// Returns the reason for which a job ended. A job that was cancelled by its own limit ends because of that limit and not because of
    /// <paramref name="reason"/>. A job that had finished its work when the limit was reached keeps <paramref name="reason"/>.
    /// </summary>
    public StopReason Explain(StopReason reason)
    {
        if (reason != StopReason.Cancelled || limit is null || stop.IsCancellationRequested || abort.IsCancellationRequested)
            return reason;
        report.Problem(limit);
        return StopReason.Limit;
    }

    public void Dispose() => source.Dispose();
}
