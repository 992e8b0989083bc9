using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>Prepares the target's folders for the pairs: follows renames at the source, creates folders and subscribes them.</summary>
/// <param name="target">The target's folders as listed.</param>
/// <param name="mapped">The pairs as mapped by the rules.</param>
internal sealed class TargetFolders(
    JobContext context, IReadOnlyList<FolderEntry> target, IReadOnlyList<FolderPair> mapped, IEnumerable<PairKey> remembered)
{
    private readonly Dictionary<FolderPath, FolderEntry> there = target.DistinctBy(f => f.Path).ToDictionary(f => f.Path);

    private readonly List<PairKey> known = [.. remembered];

    private readonly TargetPathMap places = new(
        mapped, context.Target.ListedAs, target.Where(f => f.HoldsMessages).Select(f => f.Path).ToHashSet(), remembered,
        context.Target.Traits.IsFlat || context.Source.Traits.IsFlat);

    /// <summary>The pairs with their actual target folders, or with the expected ones if they are not created yet.</summary>
    public IReadOnlyList<FolderPair> Pairs => [.. mapped.Select(p => p with { Target = places[p.Target] })];

    public bool Exists(FolderPath path) => there.TryGetValue(path, out var entry) && entry.HoldsMessages;

    /// <summary>Returns a folder's status from the listing; requests it if the listing had none.</summary>
    public async Task<FolderStatus> StatusAsync(FolderPath path, CancellationToken abort) =>
        there[path].Status ?? await context.Target.GetStatusAsync(path, abort);

    public async Task<UidCounters> UidCountersAsync(FolderPath path, CancellationToken abort) => there[path].Status is { } status
        ? new UidCounters(status.UidValidity, status.UidNext)
        : await context.Target.GetUidCountersAsync(path, abort);

    /// <summary>Renames the target's folders to follow renames at the source.</summary>
    /// <returns>
    /// The renames after which the mail is under the new name. The saved summary of the pair under the old name is then no longer valid.
    /// </returns>
    public async Task<IReadOnlyList<FolderRename>> FollowRenamesAsync(IReadOnlyList<FolderRename> renames, CancellationToken abort)
    {
        List<FolderRename> followed = [], moved = [];
        foreach (var rename in renames)
        {
            if (context.RenamesGivenUp.Contains(rename.From))
                continue;
            context.Report.Note(rename.To.Source, $"renamed at the source, was {rename.From.Source}");
            bool isMoved;
            try
            {
                isMoved = await MoveAsync(rename, moved, abort);
                if (!isMoved && !await WasMovedAsync(rename.From, rename.To.Target, abort))
                    continue;
                await BringBackAsync(rename, renames, isSure: isMoved, abort);
            }
            catch (MailException e) when (e.Scope != FailureScope.Store && StumblesAgain(rename.From, e))
            {
                continue;
            }

            if (isMoved)
            {
                moved.Add(rename);
                // The checkpoint is kept only if the OBJECTID proves that it is the same folder. Otherwise the messages under the new name
                // are compared by their headers, and those found are recorded as adopted (already there).
                if (rename.IsProved)
                    await context.Checkpoints.RenameAsync(rename.From, rename.To, abort);
            }

            // After the rename the mail belongs to the pair of folders under the new name. So the checkpoint of the pair under the old name
            // is emptied.
            await EndRecordAsync(rename.From, abort);
            followed.Add(rename);
        }

        return followed;
    }

    private async Task EndRecordAsync(PairKey pair, CancellationToken abort)
    {
        await using var checkpoint = await context.Checkpoints.OpenAsync(pair, abort);
        foreach (var message in checkpoint.Messages)
            checkpoint.Forget(message.Source);
        await checkpoint.CommitAsync(abort);
    }

    /// <summary>
    /// Returns true if the rename is given up, after a permanent failure or the second transient one. The folder is then reported and not
    /// renamed, so that other folders are still copied.
    /// </summary>
    private bool StumblesAgain(PairKey from, MailException e)
    {
        if (e.IsTransient && context.RenamesFailedOnce.Add(from))
            return false;
        context.RenamesGivenUp.Add(from);
        context.Report.Problem(new Problem(FailureScope.Folder, from.Source, null, Reasons.Rename, $"{from.Target} could not be renamed at the target: {e.Message}"));
        return true;
    }

    private async Task<bool> MoveAsync(FolderRename rename, List<FolderRename> moved, CancellationToken abort)
    {
        if (rename.From.Target.Equals(rename.To.Target))
            return true;
        if (!Exists(rename.From.Target) && Exists(rename.To.Target)
            && moved.Exists(m => rename.From.Target.IsAtOrBelow(m.From.Target) && rename.To.Target.IsAtOrBelow(m.To.Target)))
        {
            return true;
        }

        // A target folder that another pair still uses is not renamed.
        if (!Exists(rename.From.Target) || Exists(rename.To.Target) || Pairs.Any(p => p.Target.Equals(rename.From.Target)))
            return false;
        try
        {
            await RenameAsync(rename.From.Target, rename.To.Target, abort);
            return true;
        }
        catch (MailException e) when (e is { Scope: not FailureScope.Store, IsTransient: false })
        {
            context.Report.Note(rename.To.Source, $"the target could not rename {rename.From.Target}, so it is copied anew: {e.Message}");
            return false;
        }
    }

    /// <summary>
    /// Returns true if an earlier, interrupted attempt already renamed the folder: no folder has the old name, and the folder under the new
    /// name has the UIDVALIDITY recorded for the old one. Its messages are compared by their headers in any case.
    /// </summary>
    private async Task<bool> WasMovedAsync(PairKey from, FolderPath to, CancellationToken abort)
    {
        if (Exists(from.Target) || !Exists(to))
            return false;
        await using var checkpoint = await context.Checkpoints.OpenAsync(from, abort);
        return !checkpoint.TargetValidity.IsNone && checkpoint.TargetValidity == (await UidCountersAsync(to, abort)).Validity;
    }

    /// <summary>
    /// Renames folders back that the server renamed together with their parent. An IMAP server that renames a folder also renames all
    /// folders below it, including those whose source folders were not renamed.
    /// </summary>
    /// <param name="isSure">True if this run renamed the parent. A folder that is now below the new name was then renamed with it.</param>
    private async Task BringBackAsync(FolderRename rename, IReadOnlyList<FolderRename> renames, bool isSure, CancellationToken abort)
    {
        var (from, to) = (rename.From.Target, rename.To.Target);
        foreach (var key in known.Where(k => !k.Target.Equals(from) && k.Target.IsAtOrBelow(from)))
        {
            var carried = new FolderPath(to.Levels.Concat(key.Target.Levels.Skip(from.Levels.Length)));
            if (!Exists(carried) || Exists(key.Target) || renames.Any(r => r.From == key && r.To.Target.Equals(carried)))
                continue;
            if (!isSure && !await WasMovedAsync(key, carried, abort))
                continue;
            try
            {
                await RenameAsync(carried, key.Target, abort);
            }
            catch (MailException e) when (e is { Scope: not FailureScope.Store, IsTransient: false })
            {
                context.Report.Note(key.Source, $"the target took {key.Target} along to {carried} and would not give it back: {e.Message}");
            }
        }
    }

    private async Task RenameAsync(FolderPath from, FolderPath to, CancellationToken abort)
    {
        await context.Target.RenameFolderAsync(from, to, abort);
        // An IMAP server renames the folders below as well (RFC 9051 §6.3.6), so the folders are listed again. The pairs of those folders
        // then find their rename already done.
        there.Clear();
        foreach (var entry in await context.Target.ListFoldersAsync(abort))
            there[entry.Path] = entry;
        there.TryAdd(to, new FolderEntry(to));
        there.Remove(from);
    }

    /// <summary>Creates missing folders. A folder that can't be created is reported, and its pairs are left out of the result.</summary>
    public async Task<IReadOnlyList<FolderPair>> CreateAsync(CancellationToken abort)
    {
        // A restore of chosen messages creates only the folders that receive some; FolderCopier does that.
        if (context.Job is { IsRestore: true, Messages.IsEmpty: false })
            return Pairs;
        var refused = await new FolderCreation(context, places, there).RunAsync(mapped, abort);
        return [.. mapped.Where(p => !refused.Contains(p.Target)).Select(p => p with { Target = places[p.Target] }).OrderBy(p => p.Target)];
    }

    /// <summary>
    /// Sends all subscription changes at once before copying, if the target can change many in one operation. A failure here is ignored,
    /// since each folder's subscription is sent again when the folder is processed.
    /// </summary>
    public async Task SubscribeTogetherAsync(IReadOnlyList<FolderPair> pairs, IReadOnlyDictionary<PairKey, PairSummary> remembered, CancellationToken abort)
    {
        if (!context.Target.Traits.SubscribesTogether)
            return;
        // Target folders of more than one pair are left out, because their subscription is set when each of their pairs is processed.
        var wanted = pairs.GroupBy(p => p.Target).Where(g => g.Count() == 1).Select(g => g.Single())
            .Where(p => IsToSubscribe(p, remembered.GetValueOrDefault(new PairKey(p.Source.Path, p.Target))))
            .ToDictionary(p => p.Target, p => p.Source.Subscribed);
        if (wanted.Count < 2)
            return;
        try
        {
            await context.Target.SetSubscribedAsync(wanted, abort);
        }
        catch (MailException e) when (e.Scope != FailureScope.Store)
        {
            return;
        }

        foreach (var (path, subscribed) in wanted)
            there[path] = there[path] with { Subscribed = subscribed };
    }

    /// <summary>Propagates a subscription change at the source once, so that later changes by the target's users are kept.</summary>
    public async Task SubscribeAsync(FolderPair pair, PairSummary? remembered, CancellationToken abort)
    {
        if (IsToSubscribe(pair, remembered))
            await context.Target.SetSubscribedAsync(pair.Target, pair.Source.Subscribed, abort);
    }

    private bool IsToSubscribe(FolderPair pair, PairSummary? remembered)
    {
        if (!pair.Source.KnowsSubscription || (context.Job.IsRestore && !context.CreatedTargets.Contains(pair.Target)))
            return false;
        var wanted = pair.Source.Subscribed;
        var isNews = remembered is null ? wanted : remembered.Subscribed != wanted;
        return isNews && there[pair.Target].Subscribed != wanted;
    }
}
