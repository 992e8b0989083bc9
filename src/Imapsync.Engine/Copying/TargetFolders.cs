using Imapsync.Engine.Folders;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>Makes the target's folders what the pairs need: renamed where the source's were, created, subscribed.</summary>
/// <param name="target">As listed.</param>
/// <param name="mapped">Pairs as the rules give them.</param>
internal sealed class TargetFolders(
    JobContext context, IReadOnlyList<FolderEntry> target, IReadOnlyList<FolderPair> mapped, IEnumerable<PairKey> remembered)
{
    private readonly Dictionary<FolderPath, FolderEntry> there = target.DistinctBy(f => f.Path).ToDictionary(f => f.Path);

    private readonly List<PairKey> known = [.. remembered];

    private readonly TargetPathMap places = new(
        mapped, context.Target.ListedAs, target.Where(f => f.HoldsMessages).Select(f => f.Path).ToHashSet(), remembered,
        context.Target.Traits.IsFlat || context.Source.Traits.IsFlat);

    /// <summary>The pairs with the folders that they have at the target, or will have as far as can be told.</summary>
    public IReadOnlyList<FolderPair> Pairs => [.. mapped.Select(p => p with { Target = places[p.Target] })];

    public bool Exists(FolderPath path) => there.TryGetValue(path, out var entry) && entry.HoldsMessages;

    /// <summary>A folder's status as the listing gave it, else asked for.</summary>
    public async Task<FolderStatus> StatusAsync(FolderPath path, CancellationToken abort) =>
        there[path].Status ?? await context.Target.GetStatusAsync(path, abort);

    public async Task<UidCounters> UidCountersAsync(FolderPath path, CancellationToken abort) => there[path].Status is { } status
        ? new UidCounters(status.UidValidity, status.UidNext)
        : await context.Target.GetUidCountersAsync(path, abort);

    /// <summary>Renames the target's folders after the source's.</summary>
    /// <returns>Those whose mail is now under the new name: what is remembered under the old one is void.</returns>
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
                // Without proof the messages are recognised by identity under the new name: adopted, not copied.
                if (rename.IsProved)
                    await context.Checkpoints.RenameAsync(rename.From, rename.To, abort);
            }

            // Its mail is another pair's now: the record of the old name has ended.
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

    /// <summary>One folder that fails each time must not keep the others from being copied: it is left as it is, and told.</summary>
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

        // What another pair has still is left where it is.
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
    /// A run, or a try, that was interrupted before it could remember what it had renamed: the folder under the new name has the
    /// UIDVALIDITY of the one that is gone. Its messages are recognised by identity all the same.
    /// </summary>
    private async Task<bool> WasMovedAsync(PairKey from, FolderPath to, CancellationToken abort)
    {
        if (Exists(from.Target) || !Exists(to))
            return false;
        await using var checkpoint = await context.Checkpoints.OpenAsync(from, abort);
        return !checkpoint.TargetValidity.IsNone && checkpoint.TargetValidity == (await UidCountersAsync(to, abort)).Validity;
    }

    /// <summary>
    /// What lies below a renamed folder and did not go along at the source, because it was deleted or stayed there, gets its
    /// name back: an IMAP server takes along whatever lies below.
    /// </summary>
    /// <param name="isSure">This run has renamed it, so what lies there now has been carried along.</param>
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
        // An IMAP server renames what lies below as well (RFC 9051 §6.3.6); the pairs of those find it done.
        there.Clear();
        foreach (var entry in await context.Target.ListFoldersAsync(abort))
            there[entry.Path] = entry;
        there.TryAdd(to, new FolderEntry(to));
        there.Remove(from);
    }

    /// <summary>Creates what is missing. A folder that can't be created is reported and its pairs are left out.</summary>
    public async Task<IReadOnlyList<FolderPair>> CreateAsync(CancellationToken abort)
    {
        // To restore a few messages, only the folders that get some are made: FolderCopier does it.
        if (context.Job is { IsRestore: true, Messages.IsEmpty: false })
            return Pairs;
        var refused = await new FolderCreation(context, places, there).RunAsync(mapped, abort);
        return [.. mapped.Where(p => !refused.Contains(p.Target)).Select(p => p with { Target = places[p.Target] }).OrderBy(p => p.Target)];
    }

    /// <summary>Before the folders are copied, where the target takes many subscriptions at the price of one. What fails here is asked for again with its folder.</summary>
    public async Task SubscribeTogetherAsync(IReadOnlyList<FolderPair> pairs, IReadOnlyDictionary<PairKey, PairSummary> remembered, CancellationToken abort)
    {
        if (!context.Target.Traits.SubscribesTogether)
            return;
        // Of two pairs with one target, each has its turn.
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

    /// <summary>Carries a subscription over once when it changes at the source; the target's users keep theirs.</summary>
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
