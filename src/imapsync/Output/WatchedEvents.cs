using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>
/// Filters the events of jobs that are run again and again. (1) All events of a job's first run pass. (2) From a later run, a change
/// passes, and a problem that the previous run did not have. (3) The end of a later run passes if another event of the run passed, or if
/// the outcome differs from the previous run's. The events of one job must come from one task at a time.
/// </summary>
internal sealed class WatchedEvents(Action<JobEvent> show)
{
    private readonly Dictionary<string, Told> jobs = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    public void Show(JobEvent happened)
    {
        bool passes;
        lock (gate)
        {
            if (!jobs.TryGetValue(happened.Job, out var told))
                jobs.Add(happened.Job, told = new Told());
            passes = told.Passes(happened);
        }

        if (passes)
            show(happened);
    }

    private sealed class Told
    {
        private HashSet<JobEvent> before = [];
        private HashSet<JobEvent> now = [];
        private bool hasNews;
        private (JobOutcome, StopReason)? last;
        private bool hasRun;

        public bool Passes(JobEvent happened)
        {
            // A run that ended at once because another run holds the job's lock does not count: the next run is still the first.
            var isFirst = !hasRun;
            switch (happened)
            {
                case JobFinished end:
                    var outcome = (end.Report.Outcome, end.Report.Stop);
                    var passes = hasNews || last != outcome;
                    hasRun |= end.Report.Stop != StopReason.Locked;
                    (last, before, now, hasNews) = (outcome, now, [], false);
                    return passes;
                case JobStarted:
                    return last is null;
                case FoldersPlanned:
                    return isFirst;
                case NoteRaised or ProblemFound:
                    return now.Add(happened) && News(!before.Contains(happened));
                case FolderStarted folder:
                    return isFirst || folder.ToCopy > 0;
                case FolderFinished { Folder.Counts: var counts }:
                    return News(counts.Copied + counts.Adopted + counts.FlagsUpdated + counts.Deleted > 0) || isFirst;
                case MessagesCopied:
                    return News(true);
                default:
                    return true;
            }
        }

        private bool News(bool isNew)
        {
            hasNews |= isNew;
            return isNew;
        }
    }
}
