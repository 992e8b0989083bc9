using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Restoring;

/// <summary>
/// Reports messages that earlier runs put into a backup and that are no longer in it. A restore can't bring these messages back, so it must
/// not end as if everything had been restored.
/// </summary>
/// <param name="folders">The backup's folders that hold messages.</param>
internal sealed class LostMail(IMessageStore backup, RestoreOrigin origin, IReadOnlyCollection<FolderPath> folders, JobReporter report)
{
    /// <param name="isWanted">
    /// Returns whether a folder is to be restored; it is called with the folder's name at the source of the backup.
    /// </param>
    public async Task ReportAsync(ICheckpointStore checkpoints, Func<FolderPath, bool> isWanted, CancellationToken cancellationToken)
    {
        foreach (var pairs in checkpoints.Summaries.Keys.Where(p => isWanted(p.Source) && IsIncluded(p.Source)).GroupBy(p => p.Source).OrderBy(p => p.Key))
        {
            // If the job's folder map was changed, a source folder has two pairs: one with its former target folder and one with its
            // present one. People may have deleted the former target folder, so only pairs whose target folder exists are examined, if
            // there are any.
            List<PairKey> there = [.. pairs.Where(p => folders.Contains(p.Target))];
            foreach (var pair in there.Count > 0 ? there : [.. pairs.Take(1)])
            {
                if (await CountAsync(checkpoints, pair, cancellationToken) is > 0 and var lost)
                {
                    report.Problem(new Problem(
                        FailureScope.Folder, pair.Source, null, Reasons.MissingAtTarget,
                        $"messages that earlier runs put into {pair.Target} are gone from the backup and can't be restored: {lost}"));
                }
            }
        }
    }

    private async Task<long> CountAsync(ICheckpointStore checkpoints, PairKey pair, CancellationToken cancellationToken)
    {
        await using var checkpoint = await checkpoints.OpenAsync(pair, cancellationToken);
        List<SettledMessage> brought = [.. checkpoint.Messages.Where(m => !m.Target.IsNone && ShouldBeThere(m))];
        if (brought.Count == 0 || !folders.Contains(pair.Target))
            return brought.Count;
        await using var folder = await backup.OpenAsync(pair.Target, cancellationToken);
        // Under another UIDVALIDITY the recorded UIDs identify no messages, so only the numbers are compared: if the folder has fewer
        // messages than were put there, some are missing.
        if (folder.LastingUidValidity.IsNone || checkpoint.TargetValidity != folder.LastingUidValidity)
            return Math.Max(0, brought.Count - folder.Status.Messages);
        var there = new UidSet();
        await foreach (var message in folder.ListAsync(new ListRequest(), cancellationToken))
            there.Add(message.Uid);
        return brought.Count(m => !there.Contains(m.Target));
    }

    /// <summary>
    /// Returns whether the backup has to hold the message's copy. If the message vanished from the source, its copy stays only under
    /// <c>deletions: keep</c>.
    /// </summary>
    private bool ShouldBeThere(in SettledMessage message) =>
        message.Settlement is Settlement.Copied or Settlement.Adopted
        || (message.Settlement == Settlement.Vanished && origin.Backup.Deletions == DeletionPolicy.Keep);

    private bool IsIncluded(FolderPath source) => FolderMapper.Map([new FolderEntry(source)], origin.Backup.Folders).Pairs.Count > 0;
}
