using System.Diagnostics;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Progress;

/// <summary>
/// Reports a job and its folders as spans to the listeners of the <see cref="ActivitySource"/> <see cref="SourceName"/>; without a listener
/// no span is created. Spans contain names of jobs and folders, counts and fixed words for programs, but no address, no server's text and
/// no secret.
/// </summary>
public sealed class JobTrace : IDisposable
{
    public const string SourceName = "imapsync";

    /// <summary>The most problems in a span. Nobody reads more of them.</summary>
    private const int MostProblems = 100;

    private static readonly ActivitySource Source = new(SourceName);

    private readonly string job;
    private readonly Activity? span;

    public JobTrace(string job, bool isDryRun)
    {
        this.job = job;
        span = Start("imapsync.job", default);
        span?.SetTag("imapsync.job", job).SetTag("imapsync.dry_run", isDryRun);
    }

    /// <summary>Begins the span for one attempt at a folder. After a transient failure, the next attempt has another span.</summary>
    public FolderTrace BeginFolder(FolderPath source, FolderPath target)
    {
        var folder = span is null ? null : Start("imapsync.folder", span.Context);
        folder?.SetTag("imapsync.job", job).SetTag("imapsync.folder", source.ToString()).SetTag("imapsync.target_folder", target.ToString());
        return new FolderTrace(folder);
    }

    public void End(JobReport report)
    {
        if (span is null)
            return;
        span.SetTag("imapsync.outcome", report.Outcome.ToString().ToLowerInvariant()).SetTag("imapsync.problems", report.Problems.Length).SetTag("imapsync.waited_seconds", report.Waited.TotalSeconds);
        SetCounts(span, report.Totals);
        foreach (var problem in report.Problems.Take(MostProblems))
        {
            span.AddEvent(new ActivityEvent("problem", tags: new ActivityTagsCollection
            {
                ["scope"] = problem.Scope.ToString().ToLowerInvariant(),
                ["reason"] = problem.Reason,
                ["folder"] = problem.Folder?.ToString(),
                ["uid"] = problem.Uid is { } uid ? (long)uid : null,
            }));
        }

        span.SetStatus(report.Outcome == JobOutcome.Ok ? ActivityStatusCode.Ok : ActivityStatusCode.Error);
    }

    public void Dispose() => Stop(span);

    /// <summary>
    /// Starts a span without making it the current one. Otherwise its identifiers would be sent along in HTTP requests to mail servers and
    /// providers.
    /// </summary>
    private static Activity? Start(string name, ActivityContext parent)
    {
        var before = Activity.Current;
        var started = Source.StartActivity(name, ActivityKind.Internal, parent);
        Activity.Current = before;
        return started;
    }

    private static void Stop(Activity? span)
    {
        var before = Activity.Current;
        span?.Dispose();
        Activity.Current = before;
    }

    private static void SetCounts(Activity span, FolderCounts counts) => span
        .SetTag("imapsync.source_messages", counts.SourceMessages)
        .SetTag("imapsync.copied_messages", counts.Copied)
        .SetTag("imapsync.copied_bytes", counts.Bytes)
        .SetTag("imapsync.failed_messages", counts.Failed)
        .SetTag("imapsync.deleted_messages", counts.Deleted);

    /// <summary>A folder's span. If it ends without <see cref="End"/>, it reports the attempt as failed.</summary>
    public readonly struct FolderTrace(Activity? span) : IDisposable
    {
        /// <param name="counts">The counts of what the run has done with the folder so far.</param>
        public void End(FolderCounts counts)
        {
            if (span is null)
                return;
            SetCounts(span, counts);
            span.SetStatus(counts.Failed == 0 ? ActivityStatusCode.Ok : ActivityStatusCode.Error);
        }

        public void Dispose()
        {
            if (span?.Status == ActivityStatusCode.Unset)
                span.SetStatus(ActivityStatusCode.Error);
            Stop(span);
        }
    }
}
