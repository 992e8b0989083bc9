using System.Collections.Immutable;
using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Restoring;

/// <summary>
/// Finds the folder to which each folder of a backup is restored: by reversing the job's folder map. If several folders were copied into one, the
/// backup's checkpoints tell where each message came from.
/// </summary>
/// <param name="messages">The messages to restore.</param>
internal sealed class RestoreRouting(
    IMessageStore backup, RestoreOrigin origin, MessageFilter messages, StateOpener openState, JobReporter report)
{
    private readonly FolderGlob[] globs = [.. origin.Folders.Select(g => new FolderGlob(g))];

    /// <exception cref="MailException">
    /// A folder's mail may have come from several source folders and no checkpoint shows from which, or no folder is left to restore.
    /// </exception>
    public async Task<ImmutableArray<FolderRoute>> FindAsync(CancellationToken cancellationToken)
    {
        await using var checkpoints = await OpenCheckpointsAsync(cancellationToken);
        var known = checkpoints?.Summaries.Keys.ToLookup(p => p.Target, p => p.Source);
        var folders = (await backup.ListFoldersAsync(cancellationToken)).Where(f => f.HoldsMessages).Select(f => f.Path).Order().ToList();
        var routes = ImmutableArray.CreateBuilder<FolderRoute>();
        await RequireChosenAsync(folders, cancellationToken);
        foreach (var folder in folders)
        {
            if (origin.IsTrash(folder) || (!origin.Chosen.IsEmpty && ChosenOf(folder).IsEmpty))
                continue;

            var candidates = Candidates(folder, origin.Backup.Folders, known?[folder] ?? []);
            routes.AddRange(candidates.Count == 1
                ? [new FolderRoute(folder, candidates[0])]
                : await ChooseAsync(folder, candidates, checkpoints, cancellationToken));
        }

        var removed = origin.Chosen.IsEmpty
            ? await new RemovedMail(backup, origin, messages, openState, report).FindAsync(
                [.. folders.Where(origin.IsTrash)], [.. folders.Where(f => !origin.IsTrash(f))], globs, cancellationToken)
            : await ChosenRemovedAsync([.. folders.Where(origin.IsTrash)], cancellationToken);
        var chosen = routes.Where(r => IsWanted(r.Target)).Select(OnlyChosen).Where(r => r.Only?.IsEmpty != true).Concat(removed).ToImmutableArray();
        // A restore of single messages reports itself which of them are missing, so missing mail is reported here only for whole folders.
        if (checkpoints is not null && origin.Chosen.IsEmpty && messages.MessageIds.IsEmpty)
            await new LostMail(backup, origin, folders, report).ReportAsync(checkpoints, IsWanted, cancellationToken);
        if (chosen.IsEmpty)
            throw NothingChosen([.. routes.Select(r => r.Target), .. folders.Where(origin.IsTrash)]);
        ReportUnmatched([.. routes.Concat(removed).Select(r => r.Target)]);
        return chosen;
    }

    /// <summary>Reports each requested folder name that matches no folder of the backup. The restore goes on with those that match.</summary>
    private void ReportUnmatched(IReadOnlyList<FolderPath> known)
    {
        foreach (var (name, _) in origin.Folders.Zip(globs).Where(f => !known.Any(f.Second.Matches)))
            report.Problem(new Problem(FailureScope.Store, null, null, Reasons.NotFound, $"no folder fits {name}; there are {NameSome(known)}"));
    }

    /// <summary>
    /// Returns the source folders that the job's rules map to a target folder, or that are known to have been copied to it. Pure.
    /// </summary>
    public static IReadOnlyList<FolderPath> Candidates(FolderPath target, FolderRules rules, IEnumerable<FolderPath> known)
    {
        var candidates = Mapped(target, rules).Concat(known.Order()).ToList();
        if (FolderMapper.MapPath(target, rules).Equals(target))
            candidates.Add(target);
        return candidates.Count == 0 ? [target] : [.. candidates.Distinct()];
    }

    private static IEnumerable<FolderPath> Mapped(FolderPath target, FolderRules rules) => rules.Map
        .Where(m => target.IsAtOrBelow(m.Value))
        .Select(m => new FolderPath(m.Key.Levels.Concat(target.Levels.Skip(m.Value.Levels.Length))))
        .Where(source => FolderMapper.MapPath(source, rules).Equals(target))
        .Order();

    private async Task<IEnumerable<FolderRoute>> ChooseAsync(
        FolderPath folder, IReadOnlyList<FolderPath> candidates, ICheckpointStore? checkpoints, CancellationToken cancellationToken)
    {
        await using var opened = await backup.OpenAsync(folder, cancellationToken);
        var claims = new List<(FolderPath Source, UidSet Uids)>();
        foreach (var candidate in checkpoints is null ? [] : candidates)
        {
            var uids = await ReadClaimsAsync(checkpoints!, new PairKey(candidate, folder), opened.Status.UidValidity, cancellationToken);
            if (!uids.IsEmpty)
                claims.Add((candidate, uids));
        }

        if (claims.Count == 0)
            return [new FolderRoute(folder, Likeliest(folder, candidates, opened.Status.Messages))];
        if (claims.Count == 1)
            return [new FolderRoute(folder, claims[0].Source)];
        // If a source folder was deleted and has come back under another name, the checkpoints of both names contain the mail. The folder
        // that still exists comes first, so the mail is assigned to it.
        return await SplitAsync(opened, [.. claims.OrderBy(c => IsGone(checkpoints!, new PairKey(c.Source, folder)))], cancellationToken);
    }

    private static bool IsGone(ICheckpointStore checkpoints, PairKey pair) => checkpoints.Summaries.TryGetValue(pair, out var summary) && summary.Rules == PairSummary.Gone;

    /// <summary>
    /// Assigns each message of a folder to one source folder: the first one whose checkpoint contains it, or the first of all if none does.
    /// </summary>
    private async Task<IEnumerable<FolderRoute>> SplitAsync(
        IMessageFolder folder, List<(FolderPath Source, UidSet Uids)> claims, CancellationToken cancellationToken)
    {
        var only = claims.ConvertAll(_ => new UidSet());
        var strays = 0;
        await foreach (var message in folder.ListAsync(new ListRequest(), cancellationToken))
        {
            var at = claims.FindIndex(c => c.Uids.Contains(message.Uid));
            strays += at < 0 ? 1 : 0;
            only[Math.Max(at, 0)].Add(message.Uid);
        }

        if (strays > 0)
            report.Note(folder.Path, $"messages that no folder is known for go to {claims[0].Source}: {strays}");
        return claims.Select((c, i) => new FolderRoute(folder.Path, c.Source, only[i])).Where(r => r.Only?.IsEmpty == false);
    }

    private static async Task<UidSet> ReadClaimsAsync(
        ICheckpointStore checkpoints, PairKey pair, UidValidity validity, CancellationToken cancellationToken)
    {
        await using var checkpoint = await checkpoints.OpenAsync(pair, cancellationToken);
        return validity.IsNone || checkpoint.TargetValidity != validity
            ? new UidSet()
            : new UidSet(checkpoint.Messages.Where(m => !m.Target.IsNone).Select(m => m.Target));
    }

    /// <summary>
    /// Chooses a source folder where no checkpoint helps: the only one that the folder map names, or the only one that was requested.
    /// </summary>
    private FolderPath Likeliest(FolderPath folder, IReadOnlyList<FolderPath> candidates, long messages)
    {
        List<FolderPath> wanted = [.. candidates.Where(c => globs.Length == 0 || IsWanted(c))];
        if (wanted.Count == 0 || messages == 0)
            return wanted.FirstOrDefault() ?? candidates[0];
        List<FolderPath> mapped = [.. Mapped(folder, origin.Backup.Folders).Where(wanted.Contains)];
        return (mapped.Count, wanted.Count) switch
        {
            (1, _) => mapped[0],
            (_, 1) => wanted[0],
            _ => throw new MailException(
                FailureScope.Store, isTransient: false,
                $"folder {folder} of the backup may hold mail of {string.Join(" and of ", wanted)}, and there is no checkpoint to tell which; choose one of them by --folder"),
        };
    }

    private async Task<ICheckpointStore?> OpenCheckpointsAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await CheckpointStore.OpenAsync(openState(origin.Backup.State), readOnly: true, cancellationToken);
        }
        catch (Exception e) when (e is CheckpointException or CheckpointVersionException)
        {
            report.Note(null, $"the backup's checkpoints can't be read: {e.Message}");
            return null;
        }
    }

    /// <summary>
    /// Throws if a chosen message can't be found. UIDs of another UIDVALIDITY are rejected, because they could belong to other mail.
    /// </summary>
    private async Task RequireChosenAsync(List<FolderPath> folders, CancellationToken cancellationToken)
    {
        foreach (var ids in origin.Chosen.GroupBy(c => c.Folder))
        {
            if (!folders.Contains(ids.Key))
                throw NotThere(ids.First(), "the backup has no such folder");
            await using var folder = await backup.OpenAsync(ids.Key, cancellationToken);
            if (ids.FirstOrDefault(i => folder.LastingUidValidity.IsNone || i.Validity != folder.LastingUidValidity) is { } other)
                throw NotThere(other, "the folder's messages were numbered anew since");
            var there = new UidSet((await folder.ListAsync(new ListRequest(new UidSet(ids.Select(i => i.Uid).Distinct())), cancellationToken).ToListAsync(cancellationToken)).Select(m => m.Uid));
            if (ids.FirstOrDefault(i => !there.Contains(i.Uid)) is { } gone)
                throw NotThere(gone, "it is not there any more");
        }
    }

    private static MailException NotThere(MessageAddress id, string why) =>
        new(FailureScope.Store, isTransient: false, $"{id} is no message of the backup: {why}; find it again with imapsync find") { Kind = FailureKind.Gone };

    private UidSet ChosenOf(FolderPath folder) => new(origin.Chosen.Where(c => c.Folder.Equals(folder)).Select(c => c.Uid).Distinct());

    private FolderRoute OnlyChosen(FolderRoute route)
    {
        if (origin.Chosen.IsEmpty)
            return route;
        var chosen = ChosenOf(route.Source);
        return route with { Only = route.Only is { } only ? new UidSet(chosen.Enumerate().Where(only.Contains)) : chosen };
    }

    private async Task<IReadOnlyList<FolderRoute>> ChosenRemovedAsync(List<FolderPath> trash, CancellationToken cancellationToken)
    {
        var routes = new List<FolderRoute>();
        foreach (var folder in trash.Where(t => !ChosenOf(t).IsEmpty))
        {
            var only = messages with { Uids = ChosenOf(folder) };
            routes.AddRange((await new RemovedMail(backup, origin, only, openState, report).FindAsync([folder], [], [new FolderGlob(folder.ToString())], cancellationToken)).Where(r => IsWanted(r.Target)));
        }

        return routes;
    }

    private bool IsWanted(FolderPath path) => globs.Length == 0 || Array.Exists(globs, g => g.Matches(path));

    private MailException NothingChosen(IEnumerable<FolderPath> known)
    {
        var there = NameSome(known);
        var text = there.Length == 0 ? "the backup holds no folder to restore" : $"no folder fits {string.Join(", ", origin.Folders)}; there are {there}";
        return new MailException(FailureScope.Store, isTransient: false, text) { Kind = FailureKind.Gone };
    }

    private static string NameSome(IEnumerable<FolderPath> known) => string.Join(", ", known.Distinct().Take(20));
}
