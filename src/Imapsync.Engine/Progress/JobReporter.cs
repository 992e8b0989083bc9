using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Progress;

/// <summary>Collects the events of a running job: forwards them one at a time and keeps the data for the report.</summary>
public sealed class JobReporter(string job, TimeProvider time, Action<JobEvent> onEvent)
{
    /// <summary>The maximum number of notes. A note for each of a million messages must not fill memory or screen.</summary>
    public const int MaxNotes = 1000;

    private readonly Lock gate = new();
    private readonly DateTimeOffset started = time.GetUtcNow();
    private readonly List<FolderReport> folders = [];
    private readonly List<Problem> problems = [];
    private readonly HashSet<Problem> told = [];
    private readonly List<string> notes = [];
    private readonly List<Wait> waits = [];
    private TimeSpan waited;
    private FoldersPlanned? planned;

    public string Job => job;

    /// <summary>The trace to which the spans of the job's folders belong; null if the job has no trace.</summary>
    public JobTrace? Trace { get; init; }

    /// <summary>
    /// Whether files or directories of the source that may contain mail were not read, so that a folder missing from the listing may still
    /// exist.
    /// </summary>
    public bool HasUnreadPlaces
    {
        get
        {
            lock (gate)
                return problems.Exists(p => p is { Folder: null, Reason: Reasons.Unread });
        }
    }

    public bool HasProblems
    {
        get
        {
            lock (gate)
                return problems.Count > 0;
        }
    }

    public void Tell(JobEvent happened)
    {
        lock (gate)
        {
            if (happened is FoldersPlanned folders)
                planned = folders;
            onEvent(happened);
        }
    }

    public void Note(FolderPath? folder, string text)
    {
        lock (gate)
        {
            var whole = folder is null ? text : $"{folder}: {text}";
            if (notes.Count > MaxNotes || notes.Contains(whole))
                return;
            if (notes.Count == MaxNotes)
                (folder, text, whole) = (null, "there is more to note, which is left out", "there is more to note, which is left out");
            notes.Add(whole);
            onEvent(new NoteRaised(job, folder, text));
        }
    }

    /// <summary>Reports a problem. Repetitions are ignored, since work that is redone after a failure finds the same problems again.</summary>
    public void Problem(Problem problem)
    {
        lock (gate)
        {
            if (!told.Add(problem))
                return;
            problems.Add(problem);
            onEvent(new ProblemFound(job, problem));
        }
    }

    /// <summary>Reports that the job waits.</summary>
    public void Wait(string reason, TimeSpan delay)
    {
        lock (gate)
        {
            var wait = new Wait(reason, delay, time.GetLocalNow() + delay);
            waited += delay;
            if (waits.Count < JobReport.MaxWaits)
                waits.Add(wait);
            onEvent(new Waiting(job, wait));
        }
    }

    /// <summary>Records a wait that has ended; its beginning was already reported.</summary>
    public void Waited(string reason, TimeSpan delay)
    {
        lock (gate)
        {
            waited += delay;
            if (waits.Count < JobReport.MaxWaits)
                waits.Add(new Wait(reason, delay, time.GetLocalNow()));
        }
    }

    public void Finished(FolderReport folder)
    {
        lock (gate)
        {
            folders.Add(folder);
            onEvent(new FolderFinished(job, folder));
        }
    }

    /// <summary>Ends the job and returns its report, with the folders in name order.</summary>
    public JobReport Finish(JobOutcome outcome, StopReason stop, bool isDryRun)
    {
        lock (gate)
        {
            var report = new JobReport(
                job,
                outcome,
                started,
                time.GetUtcNow(),
                folders.Aggregate(new FolderCounts(), (sum, f) => sum + f.Counts),
                [.. folders.OrderBy(f => f.Source)],
                [.. problems],
                [.. notes])
            { Stop = stop, IsDryRun = isDryRun, Waited = waited, Waits = [.. waits], PlannedFolders = planned?.Pairs ?? 0, PlannedMessages = planned?.Messages ?? 0 };
            onEvent(new JobFinished(job, report));
            return report;
        }
    }
}
