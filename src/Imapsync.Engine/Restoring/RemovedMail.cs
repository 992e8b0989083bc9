using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Restoring;

/// <summary>
/// Finds which messages of a backup's trash folder are to be restored, and the folder from which each was removed. The trash is searched if the
/// request names the trash folder, or a Message-ID that no other folder of the backup has.
/// </summary>
internal sealed class RemovedMail(IMessageStore backup, RestoreOrigin origin, MessageFilter messages, StateOpener openState, JobReporter report)
{
    /// <param name="trash">The trash folder and the folders below it that exist.</param>
    /// <param name="others">The other folders of the backup.</param>
    /// <param name="globs">The requested folder names; empty means all except the trash folder.</param>
    public async Task<IReadOnlyList<FolderRoute>> FindAsync(
        IReadOnlyList<FolderPath> trash, IReadOnlyList<FolderPath> others, FolderGlob[] globs, CancellationToken cancellationToken)
    {
        if (trash.Count == 0)
            return [];
        var byName = trash.Where(t => Array.Exists(globs, g => g.Matches(t))).ToHashSet();
        if (messages.MessageIds.IsEmpty)
        {
            foreach (var folder in trash.Where(t => globs.Length == 0))
                report.Note(folder, $"holds what was removed from the backup and is left out; --folder '{folder}' restores it");
        }

        var wanted = messages.MessageIds.IsEmpty ? messages.MessageIds : await FindMissingAsync(others, cancellationToken);
        var routes = new List<FolderRoute>();
        await using var state = openState(origin.Backup.State);
        var origins = await TrashOrigins.ReadAsync(state, cancellationToken);
        foreach (var folder in trash.Where(t => byName.Contains(t) || !wanted.IsEmpty))
        {
            var isNamed = byName.Contains(folder);
            var filter = isNamed ? messages : messages with { MessageIds = wanted };
            routes.AddRange((await RouteAsync(folder, filter, origins, cancellationToken))
                .Where(r => isNamed || (!r.Target.Equals(folder) && (globs.Length == 0 || Array.Exists(globs, g => g.Matches(r.Target))))));
        }

        return routes;
    }

    /// <summary>Returns the requested Message-IDs that no folder of the backup other than the trash folder holds.</summary>
    private async Task<ImmutableHashSet<string>> FindMissingAsync(
        IReadOnlyList<FolderPath> folders, CancellationToken cancellationToken)
    {
        var missing = messages.MessageIds;
        foreach (var path in folders)
        {
            if (missing.IsEmpty)
                break;
            await using var folder = await backup.OpenAsync(path, cancellationToken);
            var listed = await folder.ListAsync(new ListRequest(WithDateAndSize: true), cancellationToken).ToListAsync(cancellationToken);
            await new HeaderChoice().ReadAsync(folder, messages, listed, _ => true, id => missing = missing.Remove(id), cancellationToken);
        }

        return missing;
    }

    /// <summary>
    /// Returns the routes for one trash folder. A message that was removed from the same folder more than once is restored there once.
    /// </summary>
    private async Task<IEnumerable<FolderRoute>> RouteAsync(
        FolderPath path, MessageFilter filter, TrashOrigins origins, CancellationToken cancellationToken)
    {
        await using var folder = await backup.OpenAsync(path, cancellationToken);
        var listed = await folder.ListAsync(new ListRequest(WithDateAndSize: true), cancellationToken).ToListAsync(cancellationToken);
        var unplaced = new List<string>();
        var chosen = await new HeaderChoice().ReadAsync(folder, filter, listed, _ => true, unplaced.Add, cancellationToken);
        var candidates = listed.Where(m => filter.Accepts(m) && chosen?.Contains(m.Uid) != false).ToDictionary(m => m.Uid);
        var identities = candidates.Count == 0 ? [] : await MessageRecognition.IdentifyAsync(folder, candidates, cancellationToken);
        var routes = new Dictionary<FolderPath, UidSet>();
        var seen = new HashSet<(UInt128, long)>();
        var seenFrom = new HashSet<(FolderPath, (UInt128, long))>();
        var placed = identities.Select(m => (Message: m, Origin: origins.Find(folder.Status.UidValidity, m.Uid)));
        foreach (var (message, known) in placed.OrderBy(m => m.Origin is null).ThenByDescending(m => m.Message.Uid))
        {
            var place = known ?? path;
            // Messages without a Message-ID that look alike may still be different ones, so each is restored. Of duplicates with a
            // Message-ID, one is restored to each folder from which they were removed. If the former folder of none of them is known, only
            // the newest is restored.
            var alike = (message.Header, message.Info.Size);
            var isNew = known is null ? !seen.Contains(alike) : seenFrom.Add((known, alike));
            seen.Add(alike);
            if (message.HasCore && !isNew)
                continue;
            if (!routes.TryGetValue(place, out var uids))
                routes[place] = uids = new UidSet();
            uids.Add(message.Uid);
        }

        if (routes.ContainsKey(path) && !filter.MessageIds.IsEmpty)
        {
            report.Note(path, $"holds {string.Join(", ", unplaced.Distinct().Select(id => $"<{id}>"))}, but not for each of them is known which folder it was removed from; --folder '{path}' brings those back into a folder of that name");
        }

        return routes.Select(r => new FolderRoute(path, r.Key, r.Value));
    }
}
