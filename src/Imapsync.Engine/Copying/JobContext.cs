using System.Collections.Concurrent;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Retrying;
using Imapsync.Engine.State;
using Imapsync.Engine.Transfer;

namespace Imapsync.Engine.Copying;

/// <summary>What all parts of a running job share.</summary>
/// <param name="Definition">The job as it was read.</param>
/// <param name="Stop">Asked to finish what is in hand and end.</param>
internal sealed record JobContext(
    JobDefinition Definition,
    RunOptions Options,
    IMessageStore Source,
    IMessageStore Target,
    ICheckpointStore Checkpoints,
    JobReporter Report,
    RetryPipeline Retry,
    TimeProvider Time,
    CancellationToken Stop)
{
    /// <summary>The job as it stands at this moment: a cut-over may come while it runs.</summary>
    public JobDefinition Job => Definition.At(Time.GetUtcNow());

    /// <summary>Ends the job at a limit of its own: a short fixed word, a text for people.</summary>
    public Action<string, string> ReachLimit { get; init; } = (_, _) => { };

    /// <summary>Message-IDs of the filter that some message has.</summary>
    public ConcurrentDictionary<string, bool> FoundMessageIds { get; } = new();

    /// <summary>The job's state, which <see cref="Checkpoints"/> lie in.</summary>
    public required IStateMedium State
    {
        get;
        init
        {
            field = value;
            Appending = new AppendMark(value);
        }
    }

    /// <summary>Reaches the state of others.</summary>
    public required StateOpener OpenState { get; init; }

    /// <summary>Whether what lies at the target without a record may be an interrupted run's.</summary>
    public AppendMark Appending { get; private init; } = null!;

    /// <summary>The job's state was seen to be older than the target.</summary>
    public bool IsStateOld
    {
        get => Volatile.Read(ref stateIsOld);
        set => Volatile.Write(ref stateIsOld, value);
    }

    private bool stateIsOld;

    /// <summary>How many more of the source's folders could be open than are.</summary>
    public ReaderBudget Spare { get; } = new();

    /// <summary>What tells people which messages failed.</summary>
    public FailureDescriptions Describing { get; } = new();

    /// <summary>Target folders made before the copying began.</summary>
    public HashSet<FolderPath> CreatedTargets { get; } = [];

    /// <summary>Pairs whose renaming at the target failed once.</summary>
    public HashSet<PairKey> RenamesFailedOnce { get; } = [];

    /// <summary>Pairs whose renaming at the target is not tried any more.</summary>
    public HashSet<PairKey> RenamesGivenUp { get; } = [];

    /// <summary>What was copied is to be deleted at the source.</summary>
    public bool RemovesCopied => Definition.Source.RemovesCopied && !Options.DryRun;

    /// <summary>Does what is safe to redo whole and tries again after what may pass.</summary>
    /// <param name="what">A folder as a rule, for people.</param>
    /// <param name="progress">Grows when the work gets on.</param>
    public async Task<T> RetryAsync<T>(string what, Func<CancellationToken, Task<T>> work, Func<long> progress, CancellationToken abort)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Stop, abort);
        return await Retry.WorkAsync(what, () => work(abort), progress, giveUp.Token);
    }
}
