using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Retrying;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Verifying;

/// <summary>The objects that all parts of a running verification share.</summary>
/// <param name="Source">The source; null when the target is verified without it.</param>
/// <param name="Stop">Cancelled to make the verification end.</param>
internal sealed record VerifyContext(
    JobDefinition Job,
    VerifyOptions Options,
    IMessageStore? Source,
    ITargetStore Target,
    ICheckpointStore Checkpoints,
    SampleCursor Sample,
    FindingLog Findings,
    JobReporter Report,
    RetryPipeline Retry,
    TimeProvider Time,
    CancellationToken Stop)
{
    /// <summary>
    /// Set if the job's checkpoints were recorded for other accounts than the job names now. Then they do not apply to the present mail,
    /// and the next run discards them.
    /// </summary>
    public AccountChange? OtherAccounts { get; init; }

    /// <summary>Header fields that may differ because the two kinds of store add them; null if there are none.</summary>
    public IReadOnlyList<string>? Noted { get; } = Target.Traits.NotedFields.Union(Source?.Traits.NotedFields ?? []).ToList() is { Count: > 0 } fields ? fields : null;

    /// <summary>Runs work that can safely be repeated as a whole, and repeats it after transient failures.</summary>
    /// <param name="what">The thing that is worked on, for texts; usually a folder.</param>
    public async Task<T> RetryAsync<T>(string what, Func<CancellationToken, Task<T>> work, CancellationToken abort)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Stop, abort);
        return await Retry.WorkAsync(what, () => work(abort), () => 0, giveUp.Token);
    }
}

/// <summary>A target folder under verification.</summary>
/// <param name="Folder">The open folder; null if it does not exist.</param>
/// <param name="Claimed">UIDs of its messages that belong to a source message, by a checkpoint or by a match.</param>
internal sealed record TargetUnderVerification(IMessageFolder? Folder, FolderMessages Messages, HashSet<Imapsync.Imap.Uid> Claimed);
