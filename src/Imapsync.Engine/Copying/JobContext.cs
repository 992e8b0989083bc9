using System.Collections.Concurrent;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Retrying;
using Imapsync.Engine.State;
using Imapsync.Engine.Transfer;

namespace Imapsync.Engine.Copying;

/// <summary>The objects shared by all parts of a running job.</summary>
/// <param name="Definition">The job as configured.</param>
/// <param name="Stop">Cancelled to make the job finish its current work and end.</param>
internal sealed record JobContext(
    JobDefinition Definition,
    RunOptions Options,
    IMessageStore Source,
    ITargetStore Target,
    ICheckpointStore Checkpoints,
    JobReporter Report,
    RetryPipeline Retry,
    TimeProvider Time,
    CancellationToken Stop)
{
    /// <summary>The job's settings as of now: a cut-over may change them during a run.</summary>
    public JobDefinition Job => Definition.At(Time.GetUtcNow());

    /// <summary>
    /// Ends the job because it has reached one of its own limits, such as a daily number of octets. Arguments: a fixed keyword for
    /// programs, and a text for people.
    /// </summary>
    public Action<string, string> ReachLimit { get; init; } = (_, _) => { };

    /// <summary>Message-IDs named in the filter for which a message was found.</summary>
    public ConcurrentDictionary<string, bool> FoundMessageIds { get; } = new();

    /// <summary>The job's state, which contains the <see cref="Checkpoints"/>.</summary>
    public required IStateMedium State
    {
        get;
        init
        {
            field = value;
            Appending = new AppendMark(value);
        }
    }

    /// <summary>Opens the state of other jobs.</summary>
    public required StateOpener OpenState { get; init; }

    /// <summary>Tells whether messages at the target without a checkpoint record may come from an interrupted run.</summary>
    public AppendMark Appending { get; private init; } = null!;

    /// <summary>
    /// True if the job's state turned out to be older than the target's mail. The state was then probably restored from an older copy.
    /// </summary>
    public bool IsStateOld
    {
        get => Volatile.Read(ref stateIsOld);
        set => Volatile.Write(ref stateIsOld, value);
    }

    private bool stateIsOld;

    /// <summary>
    /// How many more source folders may be opened at the same time, for example to read one folder over several connections.
    /// </summary>
    public ReaderBudget Spare { get; } = new();

    /// <summary>Reads the envelopes of failed messages for the report.</summary>
    public FailureDescriptions Describing { get; } = new();

    /// <summary>Target folders created in this run before copying began.</summary>
    public HashSet<FolderPath> CreatedTargets { get; } = [];

    /// <summary>Pairs whose rename at the target failed once.</summary>
    public HashSet<PairKey> RenamesFailedOnce { get; } = [];

    /// <summary>Pairs whose rename at the target is not tried again.</summary>
    public HashSet<PairKey> RenamesGivenUp { get; } = [];

    /// <summary>Whether copied messages are deleted at the source.</summary>
    public bool RemovesCopied => Definition.Source.RemovesCopied && !Options.DryRun;

    /// <summary>Runs work that can safely be repeated as a whole, and repeats it after transient failures.</summary>
    /// <param name="what">The thing being worked on, for messages; usually a folder.</param>
    /// <param name="progress">Returns a number that grows with progress.</param>
    public async Task<T> RetryAsync<T>(string what, Func<CancellationToken, Task<T>> work, Func<long> progress, CancellationToken abort)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Stop, abort);
        return await Retry.WorkAsync(what, () => work(abort), progress, giveUp.Token);
    }
}
