using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Retrying;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Verifying;

/// <summary>What all parts of a running verification share.</summary>
/// <param name="Source">Null where it is verified without.</param>
/// <param name="Stop">Asked to end.</param>
internal sealed record VerifyContext(
    JobDefinition Job,
    VerifyOptions Options,
    IMessageStore? Source,
    IMessageStore Target,
    ICheckpointStore Checkpoints,
    SampleCursor Sample,
    FindingLog Findings,
    JobReporter Report,
    RetryPipeline Retry,
    TimeProvider Time,
    CancellationToken Stop)
{
    /// <summary>Header fields that may differ, by what the two stores are; null for none.</summary>
    public IReadOnlyList<string>? Noted { get; } = Target.Traits.NotedFields.Union(Source?.Traits.NotedFields ?? []).ToList() is { Count: > 0 } fields ? fields : null;

    /// <summary>Does what is safe to redo whole and tries again after what may pass.</summary>
    /// <param name="what">A folder as a rule, for people.</param>
    public async Task<T> RetryAsync<T>(string what, Func<CancellationToken, Task<T>> work, CancellationToken abort)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Stop, abort);
        return await Retry.WorkAsync(what, () => work(abort), () => 0, giveUp.Token);
    }
}

/// <summary>A target folder under verification.</summary>
/// <param name="Folder">Null where there is no such folder.</param>
/// <param name="Claimed">Its messages that a checkpoint of the job, or a match found meanwhile, accounts for.</param>
internal sealed record TargetUnderVerification(IMessageFolder? Folder, FolderMessages Messages, HashSet<Imapsync.Imap.Uid> Claimed);
