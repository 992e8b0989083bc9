using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Running;

/// <summary>
/// Asks a running job to finish what is in hand and end: because a person said so, or because a limit that the job sets itself
/// is reached.
/// </summary>
/// <param name="stop">A person's word, which counts for more than a limit.</param>
internal sealed class StopRequest(JobReporter report, CancellationToken stop, CancellationToken abort) : IDisposable
{
    private readonly CancellationTokenSource source = CancellationTokenSource.CreateLinkedTokenSource(stop, abort);
    private Problem? limit;

    /// <summary>Ends waiting and the reading of more; what is in hand is finished.</summary>
    public CancellationToken Token => source.Token;

    /// <summary>Ends the job as incomplete, with the reason among its problems. May be called from any task and more than once: the first counts.</summary>
    /// <param name="reason">A short fixed word for programs, as in <see cref="Problem"/>.</param>
    public void ReachLimit(string reason, string text)
    {
        if (source.IsCancellationRequested || Interlocked.CompareExchange(ref limit, new Problem(FailureScope.Store, null, null, reason, text), null) is not null)
            return;
        // Not on the caller's stack: it may be in the middle of what is to end.
        _ = source.CancelAsync();
    }

    /// <summary>Why a job that came back with <paramref name="reason"/> really ended. One that had nothing left to do reached no limit.</summary>
    public StopReason Explain(StopReason reason)
    {
        if (reason != StopReason.Cancelled || limit is null || stop.IsCancellationRequested || abort.IsCancellationRequested)
            return reason;
        report.Problem(limit);
        return StopReason.Limit;
    }

    public void Dispose() => source.Dispose();
}
