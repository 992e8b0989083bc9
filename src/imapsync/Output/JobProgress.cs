using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Output;

/// <summary>A job's progress, computed from its events. Text output and live display only print it. Not thread-safe.</summary>
internal sealed class JobProgress(string name, DateTimeOffset started)
{
    private readonly Dictionary<FolderPath, OpenFolder> open = [];
    private long finishedMessages;
    private long finishedToCopy;
    private DateTimeOffset? firstCopy;

    public string Name { get; } = name;

    public DateTimeOffset Started { get; } = started;

    public bool IsDryRun { get; private set; }

    /// <summary>The URLs of source and target; empty before the job has started.</summary>
    public IReadOnlyList<string> Stores { get; private set; } = [];

    /// <summary>The number of pairs of a source folder and its target folder; null until they are known.</summary>
    public int? Folders { get; private set; }

    public int FoldersFinished { get; private set; }

    /// <summary>The number of messages in the source, as reported at the start.</summary>
    public long Messages { get; private set; }

    public long Copied { get; private set; }

    /// <summary>The number of messages to copy in all folders begun so far, including messages already copied.</summary>
    public long ToCopy => finishedToCopy + open.Values.Sum(f => f.ToCopy);

    public long CopiedBytes { get; private set; }

    /// <summary>The number of messages that a verification has read.</summary>
    public long Verified { get; private set; }

    /// <summary>The time of the latest event.</summary>
    public DateTimeOffset LastNews { get; private set; } = started;

    public int Problems { get; private set; }

    /// <summary>The folder of the most recent event.</summary>
    public FolderPath? CurrentFolder { get; private set; }

    public Wait? Wait { get; private set; }

    /// <summary>Why the job can't begin yet; null when it has begun.</summary>
    public string? Queue { get; private set; }

    public JobReport? Report { get; private set; }

    public void Apply(JobEvent happened, DateTimeOffset now)
    {
        LastNews = now;
        Wait = (happened as Waiting)?.Wait;
        Queue = (happened as Queued)?.Reason;
        switch (happened)
        {
            case JobStarted begun:
                IsDryRun = begun.DryRun;
                Stores = [begun.Source, begun.Target];
                break;
            case FoldersPlanned planned:
                Folders = planned.Pairs;
                Messages = planned.Messages;
                break;
            case FolderStarted folder:
                open[folder.Source] = new OpenFolder(folder.ToCopy);
                CurrentFolder = folder.Source;
                break;
            case MessagesCopied window:
                firstCopy ??= now;
                Copied += window.Count;
                CopiedBytes += window.Bytes;
                CurrentFolder = window.Source;
                if (open.TryGetValue(window.Source, out var copying))
                    copying.Copied += window.Count;
                break;
            case MessagesVerified group:
                Verified += group.Count;
                CurrentFolder = group.Source;
                break;
            case FolderFinished { Folder: var folder }:
                open.Remove(folder.Source, out var finished);
                FoldersFinished++;
                finishedMessages += folder.Counts.SourceMessages;
                finishedToCopy += finished?.ToCopy ?? 0;
                break;
            case ProblemFound:
                Problems++;
                break;
            case JobFinished end:
                Report = end.Report;
                break;
        }
    }

    /// <summary>Returns the average rate in octets per second since the job started; null when nothing has been copied yet.</summary>
    public double? BytesPerSecond(DateTimeOffset now) => Elapsed(now) is { } seconds ? CopiedBytes / seconds : null;

    /// <summary>
    /// Estimates the remaining time from the average speed. The number of messages to copy is known for open folders. For the rest it is
    /// estimated from the share of messages that had to be copied so far.
    /// </summary>
    public TimeSpan? TimeLeft(DateTimeOffset now)
    {
        if (Report is not null || Folders is null || Elapsed(now) is not { } seconds || Copied == 0)
            return null;
        var openToCopy = open.Values.Sum(f => f.ToCopy);
        var seen = finishedMessages + openToCopy;
        var unseen = Math.Max(0, Messages - seen);
        var share = seen == 0 ? 1.0 : (double)(finishedToCopy + openToCopy) / seen;
        var left = open.Values.Sum(f => Math.Max(0, f.ToCopy - f.Copied)) + (unseen * share);
        var estimate = left * seconds / Copied;
        return estimate < TimeSpan.FromDays(365).TotalSeconds ? TimeSpan.FromSeconds(estimate) : null;
    }

    private double? Elapsed(DateTimeOffset now) =>
        firstCopy is not null && now - Started is { TotalSeconds: >= 1 } elapsed ? elapsed.TotalSeconds : null;

    private sealed class OpenFolder(long toCopy)
    {
        public long ToCopy { get; } = toCopy;

        public long Copied { get; set; }
    }
}
