using Imapsync.Engine.Jobs;

namespace Imapsync.Servers.Tests.World;

/// <summary>The faults of one run, one line each.</summary>
internal sealed class WorldVerdict
{
    private readonly List<string> lines = [];

    public int Doubled { get; private set; }

    public int WronglyRemoved { get; private set; }

    public int Untold { get; private set; }

    public int Lost { get; private set; }

    public int Damaged { get; private set; }

    public IReadOnlyList<string> Lines => lines;

    /// <param name="before">The target before the run.</param> <param name="source">Mail that was at the source during the whole run.</param>
    public void JudgeTarget(WorldModel model, JobDefinition job, MailCounts before, MailCounts after, MailCounts source)
    {
        JudgeOctets(after);
        var trash = job.TrashFolder.ToString();
        foreach (var (folder, number, count) in before.All.Where(m => m.Count > after[m.Folder, m.Number]))
        {
            var left = after[folder, number];
            var needed = source[folder, number] + model.CopiesOfPeople(folder, number);
            var isMoved = NamesAfter(model, folder).Any(to => after[to, number] > before[to, number]);
            var isAllowed = isMoved || (job.Deletions != DeletionPolicy.Keep && model.HasLeft(folder, number) && left >= Math.Min(count, needed));
            if (!isAllowed)
                Add(() => WronglyRemoved++, $"wrongly removed: {number} from {folder} ({count} → {left}, at the source {source[folder, number]})");
            else if (!isMoved && job.Deletions == DeletionPolicy.Trash && after[trash, number] == 0 && source.Total(number) == 0)
                Add(() => WronglyRemoved++, $"removed and not in the trash folder: {number} from {folder}");
        }

        foreach (var (folder, number, count) in after.All.Where(m => m.Count > before[m.Folder, m.Number]))
        {
            var most = model.Lives(folder, number) + model.CopiesOfPeople(folder, number) + (folder == trash ? model.Removals(number) : 0)
                // A renamed folder takes all its mail along, even mail that the program did not copy.
                + before.Folders.Where(f => NamesAfter(model, f).Contains(folder)).Sum(f => Math.Max(0, before[f, number] - after[f, number]));
            if (count > most && !model.IsOpen(folder, number))
                Add(() => Doubled++, $"doubled: {number} in {folder} ({before[folder, number]} → {count}, at most {most})");
        }
    }

    /// <summary>Checks that no message is missing at the target.</summary>
    /// <param name="isUntold">
    /// True if the run reported success, so that it should have reported a missing message. False for the final check, in which a missing
    /// message counts as lost.
    /// </param>
    public void JudgePresence(WorldModel model, JobDefinition job, MailCounts after, MailCounts source, Func<string, int, bool> isInScope, bool isUntold, bool forgivesPeople)
    {
        foreach (var (folder, number, count) in source.All.Where(m => isInScope(m.Folder, m.Number)))
        {
            var there = after[folder, number] + (forgivesPeople ? model.Taken(folder, number) : 0);
            if (there >= count || model.IsOpen(folder, number, looksAtTarget: !isUntold && !forgivesPeople))
                continue;
            if (isUntold)
                Add(() => Untold++, $"untold: {number} in {folder} is not in place ({count} at the source, {after[folder, number]} at the target)");
            else
                Add(() => Lost++, $"lost: {number} in {folder} ({count} at the source, {after[folder, number]} at the target)");
        }
    }

    /// <summary>Checks that after a restore by the program the account still has its earlier mail, and no message twice.</summary>
    /// <param name="isDoubtful">
    /// Whether the message may be restored twice. Its UID in the backup belonged to another message at an earlier restore, which no program
    /// can detect.
    /// </param>
    public void JudgeRestored(MailCounts before, MailCounts after, MailCounts backup, bool keepsTrash, string trash, Func<string, int, bool> isDoubtful)
    {
        JudgeOctets(after);
        foreach (var (folder, number, count) in before.All.Where(m => m.Count > after[m.Folder, m.Number]))
            Add(() => WronglyRemoved++, $"removed by a restore: {number} from {folder} ({count} → {after[folder, number]})");
        foreach (var (folder, number, count) in after.All.Where(m => m.Count > before[m.Folder, m.Number]))
        {
            var most = Math.Max(backup[folder, number], keepsTrash ? backup[trash, number] : 0);
            if (count > Math.Max(most, before[folder, number]) && !isDoubtful(folder, number))
                Add(() => Doubled++, $"doubled by a restore: {number} in {folder} ({before[folder, number]} → {count}, the backup has {backup[folder, number]})");
        }
    }

    public void JudgeUntouched(MailCounts before, MailCounts after, string what)
    {
        if (!before.IsSameAs(after))
            Add(() => WronglyRemoved++, $"{what} has changed:\n      {before}\n      {after}");
    }

    public void Add(string line) => Add(() => Untold++, line);

    private void JudgeOctets(MailCounts after)
    {
        foreach (var (folder, number, _) in after.All.Where(m => m.Number < 0))
            Add(() => Damaged++, $"damaged: {-number} in {folder}");
    }

    /// <summary>Returns the names that a folder may have after one or more renames.</summary>
    private static HashSet<string> NamesAfter(WorldModel model, string folder)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Queue<string>([folder]);
        while (waiting.TryDequeue(out var name))
        {
            foreach (var next in model.Renames.Select(r => Renamed(name, r)).OfType<string>())
            {
                if (next != folder && names.Add(next))
                    waiting.Enqueue(next);
            }
        }

        return names;
    }

    private static string? Renamed(string folder, (string From, string To) rename) =>
        folder == rename.From || folder.StartsWith(rename.From + "/", StringComparison.Ordinal) ? rename.To + folder[rename.From.Length..] : null;

    private void Add(Action count, string line)
    {
        count();
        lines.Add(line);
    }
}
