using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Verifying;

/// <summary>
/// Verifies one target folder: first each pair with this target, then the messages of no pair. After a failure everything is redone, except
/// the comparisons of contents that were completed.
/// </summary>
/// <param name="recorded">Every pair with this target that has a checkpoint, including pairs whose source folder is gone.</param>
internal sealed class TargetVerifier(
    VerifyContext context, FolderPath path, IReadOnlyList<FolderPair> pairs, IReadOnlyList<PairKey> recorded)
{
    private readonly Dictionary<PairKey, UidSet> compared = [];

    public async Task RunAsync(CancellationToken abort)
    {
        await using var folder = await OpenAsync(abort);
        var messages = folder is null ? FolderMessages.None : await FolderMessages.ReadAsync(folder, abort);
        if (messages.Missing > 0)
            ReportShortListing(context, path, folder!.Status.Messages, messages.Missing);
        var target = new TargetUnderVerification(folder, messages, await ClaimAsync(folder, abort));
        var results = new List<(long Messages, long Read)>();
        foreach (var pair in pairs)
        {
            context.Stop.ThrowIfCancellationRequested();
            var key = new PairKey(pair.Source.Path, path);
            if (!compared.TryGetValue(key, out var done))
                compared[key] = done = new UidSet();
            var count = context.Source is null
                ? await new OfflineVerifier(context, key, target, done).RunAsync(abort)
                : await new FolderVerifier(context, pair, context.Source, target, done).RunAsync(abort);
            results.Add((count, done.Count));
        }

        foreach (var extra in messages.All.Where(m => !target.Claimed.Contains(m.Uid)))
        {
            context.Findings.Add(
                FindingKind.Extra, null, path, Uid.None, extra.Uid, "at the target only; this job did not bring it",
                isInformation: context.Job.Deletions != DeletionPolicy.Mirror);
        }

        results.ForEach(r => context.Findings.Finished(r.Messages, r.Read));
    }

    /// <summary>Reports a listing shorter than the folder's own count, because nothing is known about the missing messages.</summary>
    public static void ReportShortListing(VerifyContext context, FolderPath folder, long exists, long missing) => context.Report.Problem(new Problem(
        FailureScope.Folder, folder, null, Reasons.Listing, $"the server says there are {exists} messages and lists {exists - missing}"));

    private async Task<IMessageFolder?> OpenAsync(CancellationToken abort)
    {
        try
        {
            return await context.Target.OpenAsync(path, abort);
        }
        catch (MailException e) when (e.Kind == FailureKind.Gone)
        {
            return null;
        }
    }

    private async Task<HashSet<Uid>> ClaimAsync(IMessageFolder? folder, CancellationToken abort)
    {
        var claimed = new HashSet<Uid>();
        if (folder is null || folder.LastingUidValidity.IsNone)
            return claimed;
        foreach (var pair in recorded)
        {
            await using var checkpoint = await context.Checkpoints.OpenAsync(pair, abort);
            if (checkpoint.TargetValidity == folder.LastingUidValidity)
                claimed.UnionWith(checkpoint.Messages.Where(m => !m.Target.IsNone).Select(m => m.Target));
        }

        return claimed;
    }
}
