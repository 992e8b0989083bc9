using Imapsync.CommandLine.Output;
using Imapsync.Engine.Checkpoints;
using Imapsync.Engine.Copying;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap;

namespace Imapsync.CommandLine.Rehearsing;

/// <summary>
/// A job with nothing new, between servers in memory, run for nobody while the job file is read: what a run needs is then loaded
/// and compiled, by a core that would be idle. A nightly run with nothing new is mostly start; this takes a sixth to a fifth of it
/// away. No connection is made, nothing is written, and nothing waits for it or depends on it.
/// </summary>
internal static class Rehearsal
{
    // Nothing can be made below a device, so no state is ever found there.
    private const string NoDirectory = "/dev/null/state";

    private static readonly FolderStatus Status = new(new UidValidity(1), new Uid(18), 17, 2, new ModSeq(42));

    /// <summary>Goes on beside the caller. With one core it would only be in the way.</summary>
    public static void Begin()
    {
        if (Environment.ProcessorCount > 1)
            _ = Task.Run(RunAsync);
    }

    internal static async Task<IReadOnlyList<JobReport>> RunAsync()
    {
        var time = TimeProvider.System;
        var account = new ImapEndpoint("localhost", 143, TlsMode.None, "nobody");
        var job = new JobDefinition("rehearsal", account, account) { StateDirectory = NoDirectory };
        var runner = new JobRunner(
            time,
            (_, _, context, c) => ImapStore.OpenAsync(account, context, _ => PretendedServer.ConnectAsync(Status), c),
            (directory, _, c) => OpenCheckpointsAsync(directory, job.Rules, c));
        await using var output = new PlainLines(TextWriter.Null, time);
        var reports = await new JobQueue(runner.RunAsync, time, output.Show).RunAsync([job], 1, new RunOptions(), CancellationToken.None, CancellationToken.None);
        foreach (var line in Summary.Lines(reports, isDryRun: false, hasReportFile: false))
            await TextWriter.Null.WriteLineAsync(line);
        return reports;
    }

    /// <summary>As a run leaves them that has brought everything up to date; they stay in memory.</summary>
    private static async Task<ICheckpointStore> OpenCheckpointsAsync(string directory, string rules, CancellationToken cancellationToken)
    {
        var checkpoints = await CheckpointStore.OpenAsync(directory, TimeProvider.System, readOnly: true, cancellationToken);
        var inbox = new FolderPath("INBOX");
        await checkpoints.SaveSummariesAsync(
            [new PairSummary(new PairKey(inbox, inbox), Status, Status, rules, Status.Messages, 0, Subscribed: true)], cancellationToken);
        return checkpoints;
    }
}
