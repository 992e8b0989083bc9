using Imapsync.CommandLine.Commands;
using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Serving.Finding;

namespace Imapsync.CommandLine;

/// <summary>Brings a job's index up to date after a run. A failure is reported and does no harm, because a later run or search catches up.</summary>
internal static class IndexKeeping
{
    public static async Task UpdateAsync(JobDefinition job, HostContext surroundings, Action<string> say, CancellationToken stop)
    {
        if (job is not { HasIndex: true, IsRestore: false })
            return;
        try
        {
            var backup = Backup.Of(job, surroundings.Time);
            await using var store = await BackupArguments.OpenAsync(backup, surroundings, _ => { }, stop);
            using var index = new BackupIndex(backup.Index!, note => say($"{job.Name}: {note}"));
            await index.UpdateAsync(store, (_, _) => { }, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The program was stopped. The next run continues the update of the index.
        }
        catch (Exception e) when (e is MailException || FileErrors.Is(e))
        {
            say($"{job.Name}: the index could not be brought up to date: {(e is MailException ? e.Message : FileErrors.Explain(e))}");
        }
    }
}
