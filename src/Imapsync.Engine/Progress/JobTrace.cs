using System.Diagnostics;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Progress;

/// <summary>
/// A job and its folders as spans, for whoever listens to the <see cref="ActivitySource"/> <see cref="SourceName"/>; where nobody does,
/// nothing is made. Spans hold names of jobs and folders, counts and words for programs: no address, no server's text, no secret.
/// </summary>
public sealed class JobTrace : IDisposable
{
    public const string SourceName = "imapsync";

    /// <summary>More problems than a person looks through in a span.</summary>
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

    /// <summary>One visit to a folder; after a failure that passes there is another.</summary>
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

    /// <summary>Not the current one of the calls that follow: else the identifiers would go along to mail servers' and providers' HTTP.</summary>
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

    /// <summary>A folder's span; ended without <see cref="End"/> it says that the visit failed.</summary>
    public readonly struct FolderTrace(Activity? span) : IDisposable
    {
        /// <param name="counts">What the run did to the folder so far.</param>
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
