using Imapsync.Engine.Checkpoints;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.Engine.Copying.Verification;

/// <summary>What all parts of a running verification share.</summary>
/// <param name="Source">Null where it is verified without.</param>
/// <param name="Stop">Asked to end.</param>
internal sealed record VerifyContext(
    JobDefinition Job,
    VerifyOptions Options,
    IMailStore? Source,
    IMailStore Target,
    ICheckpointStore Checkpoints,
    SampleRotation Sample,
    FindingLog Findings,
    JobReporter Report,
    ResiliencePipelines Retry,
    TimeProvider Time,
    CancellationToken Stop)
{
    /// <summary>Works on one folder and tries again after what may pass.</summary>
    public async Task RetryAsync(FolderPath folder, Func<CancellationToken, Task> work, CancellationToken abort)
    {
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(Stop, abort);
        await Retry.WorkOnFolderAsync(
            async () =>
            {
                await work(abort);
                return true;
            },
            (e, delay) => Report.Tell(new Waiting(Report.Job, $"{folder}: {e.Message}", delay, Time.GetUtcNow() + delay)),
            giveUp.Token);
    }
}

/// <summary>A target folder under verification.</summary>
/// <param name="Folder">Null where there is no such folder.</param>
/// <param name="Claimed">Its messages that a checkpoint of the job, or a match found meanwhile, accounts for.</param>
internal sealed record TargetUnderVerification(IMailFolder? Folder, FolderMessages Messages, HashSet<Imapsync.Imap.Uid> Claimed);
