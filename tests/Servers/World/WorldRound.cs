using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Servers.Tests.Model;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.World;

/// <summary>
/// A random test of a mailbox and its copy. Older disks are restored, servers omit or misstate things, people change mail on both sides,
/// rules change, and the program restores mail. After each run both sides are compared with the changes made.
/// </summary>
internal sealed class WorldRound : IRound
{
    private const int QuietRuns = 4;

    private readonly List<string> story = [];
    private readonly Random random;
    private readonly WorldTally tally;
    private readonly TempDir dir = new();
    private readonly WorldModel model = new();
    private readonly WorldPlace source;
    private readonly WorldPlace target;
    private readonly PlaceHistory sourceHistory;
    private readonly PlaceHistory targetHistory;
    private readonly WorldPeople people;
    private readonly WorldRuns runs;
    private readonly List<(string Copy, Dictionary<string, int> Source, Dictionary<string, int> Target, Dictionary<string, int> OfRestores, MailCounts AtTarget)> states = [];

    /// <summary>
    /// Messages that users delivered to the target and that the program then restored to the source. States: the number of saved copies of
    /// the job's state before that.
    /// </summary>
    private readonly List<(int States, string Folder, int Number, int Count)> broughtBack = [];

    private JobDefinition job;
    private Dictionary<string, int> knownOfSource = new(StringComparer.Ordinal);
    private Dictionary<string, int> knownOfTarget = new(StringComparer.Ordinal);

    /// <summary>
    /// For each target folder, how many messages had ever arrived in it (which determines UIDNEXT) when the program's restore last recorded
    /// this.
    /// </summary>
    private Dictionary<string, int> knownOfRestores = new(StringComparer.Ordinal);

    /// <summary>
    /// Target folders replaced by an older copy, in which fewer messages have arrived than the program's restore had recorded.
    /// </summary>
    private HashSet<string> setBackForRestores = new(StringComparer.Ordinal);
    private bool wasPutBack;
    private bool isStateOdd;

    public WorldRound(int seed, ModelServers servers, WorldTally tally)
    {
        this.tally = tally;
        // Spread the seeds, because neighbouring seeds would produce similar random sequences.
        random = new Random(unchecked((int)((uint)seed * 2654435761u)));
        var account = Guid.NewGuid().ToString("N")[..12];
        var (sourceServer, targetServer) = (servers.Any(random), servers.Any(random));
        source = random.Next(10) switch
        {
            < 6 => new AccountPlace(sourceServer, "s" + account, random.Next(1, 4)),
            < 8 => new MaildirPlace(dir["source"]),
            _ => new MboxPlace(dir["source"]),
        };
        target = random.Next(10) switch
        {
            < 5 => new AccountPlace(targetServer, "t" + account, random.Next(1, 4)),
            < 8 => new MaildirPlace(dir["target"]),
            _ => new MboxPlace(dir["target"]),
        };
        (sourceHistory, targetHistory) = (new PlaceHistory(source), new PlaceHistory(target));
        people = new WorldPeople(random, model, sourceHistory, source, targetHistory, target, Tell);
        var deletions = target.Server is not null && !ModelServers.CanRemove(targetServer)
            ? DeletionPolicy.Keep
            : random.Next(5) switch { 0 => DeletionPolicy.Keep, 1 => DeletionPolicy.Trash, _ => DeletionPolicy.Mirror };
        job = new JobDefinition("world", source.Endpoint, target.Endpoint)
        {
            Flags = (FlagPolicy)random.Next(3),
            Deletions = deletions,
            DeletionLimit = new DeletionLimit(100, IsPercent: true),
            StateDirectory = dir["state"],
        };
        runs = new WorldRuns(random, tally, dir, source, target, people, Tell);
        Tell($"seed {seed}: {Name(source)} to {Name(target)}, flags {job.Flags}, deletions {deletions}"
            + string.Concat(runs.Manners.Select(m => $", {(m.Key == source ? "source" : "target")} always: {m.Value}")));
    }

    /// <summary>What happened in the round, for the person who has to find the cause of a failure.</summary>
    public string Story
    {
        get
        {
            lock (story)
                return string.Join("\n  ", story);
        }
    }

    private bool KeepsWhatItGets => target.Server is null;

    public async Task PlayAsync()
    {
        await StartAsync(source);
        if (target is AccountPlace)
            await StartAsync(target);
        await people.FillAsync();
        targetHistory.Look();
        await RunAsync(lies: false);
        for (var left = random.Next(3, 8); left > 0; left--)
        {
            for (var events = random.Next(0, 5); events > 0; events--)
                await HappenAsync();
            if (random.Next(5) == 0)
                await RestoreAsync();
            else
                await RunAsync(lies: random.Next(2) == 0);
        }

        await EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var place in (WorldPlace[])[source, target])
        {
            if (place is AccountPlace account)
                await account.DisposeAsync();
            if (place.Server is null)
                continue;
            foreach (var path in Directory.GetDirectories(Path.GetDirectoryName(place.Directory)!, Path.GetFileName(place.Directory) + "*"))
                Directory.Delete(path, recursive: true);
        }

        dir.Dispose();
    }

    private static async Task StartAsync(WorldPlace place)
    {
        if (place is AccountPlace account)
            await account.OpenAsync();
        else
            await place.CreateFolderAsync("INBOX");
    }

    private static string Name(WorldPlace place) => place.Server is { } server ? server.Options.Capability ?? "all capabilities" : place.GetType().Name;

    private async Task HappenAsync()
    {
        switch (random.Next(20))
        {
            case < 8:
                await people.AtSourceAsync();
                break;
            case < 12:
                await people.AtTargetAsync();
                break;
            case 12 or 13:
                await PutBackAsync(random.Next(2) == 0);
                break;
            case 14 or 15:
                await CopyAsync();
                break;
            case 16:
                await StateAsync();
                break;
            case 17:
                var place = random.Next(2) == 0 ? source : target;
                place.LoseIndex(random);
                Tell($"{(place == source ? "source" : "target")}: indexes lost");
                tally.Add("index lost");
                break;
            default:
                ChangeRules();
                break;
        }
    }

    private async Task CopyAsync()
    {
        if (!Directory.Exists(job.StateDirectory))
            return;
        await sourceHistory.BackUpAsync();
        if (targetHistory.Last.Folders.Count > 0)
            await targetHistory.BackUpAsync();
        var copy = $"{job.StateDirectory}-copy{states.Count}";
        await WorldPlace.CopyAsync(job.StateDirectory, copy);
        states.Add((copy, new(knownOfSource, StringComparer.Ordinal), new(knownOfTarget, StringComparer.Ordinal), new(knownOfRestores, StringComparer.Ordinal), targetHistory.Last));
        Tell($"a copy of everything is made (copy{states.Count - 1})");
    }

    private async Task PutBackAsync(bool ofSource)
    {
        var history = ofSource ? sourceHistory : targetHistory;
        if (!history.HasCopies)
            return;
        if (ofSource)
            model.Renames.AddRange(model.Renames.Select(r => (r.To, r.From)).Except(model.Renames).ToList());
        var before = history.Last;
        var copy = await history.PutBackAsync(random);
        foreach (var (folder, number, count) in ofSource ? before.All.Where(m => m.Count > history.Last[m.Folder, m.Number]) : [])
            model.WentWithADisk(number, count - history.Last[folder, number]);
        wasPutBack = true;
        if (!ofSource)
            setBackForRestores.UnionWith(knownOfRestores.Where(k => k.Value > history.Arrivals().GetValueOrDefault(k.Key)).Select(k => k.Key));
        Tell($"{(ofSource ? "source" : "target")}: put back from {copy}: {history.Last}");
        tally.Add(ofSource ? "source put back from an older copy" : "target put back from an older copy");
    }

    private async Task StateAsync()
    {
        isStateOdd = true;
        // Without its state, the job no longer knows its copies at the target. Copies of messages that left the source may stay.
        foreach (var (folder, number, count) in targetHistory.Last.All.Where(m => m.Count > sourceHistory.Last[m.Folder, m.Number]))
        {
            for (var left = count - sourceHistory.Last[folder, number]; left > 0; left--)
                model.Came(folder, number);
        }

        if (Directory.Exists(job.StateDirectory))
            Directory.Delete(job.StateDirectory, recursive: true);
        if (states.Count == 0 || random.Next(4) == 0)
        {
            (knownOfSource, knownOfTarget, knownOfRestores) = (new(StringComparer.Ordinal), new(StringComparer.Ordinal), new(StringComparer.Ordinal));
            setBackForRestores.Clear();
            Tell("the state directory is lost");
            tally.Add("state lost");
            return;
        }

        var chosen = random.Next(states.Count);
        var (copy, ofSource, ofTarget, ofRestores, atTarget) = states[chosen];
        // The job's state is about to be replaced by an older copy. These messages were at the target when that copy was made and are gone
        // now. To the job, a user seems to have deleted them. So it may leave them out, even if the source has them again.
        foreach (var (folder, number, count) in KeepsWhatItGets ? [] : atTarget.All.Where(m => m.Count > targetHistory.Last[m.Folder, m.Number]))
            model.MayBeMissing(folder, number);
        // The program restored these messages to the source after the chosen copy of the state was saved, so the job takes them for new. It
        // looks for copies only among target mail that came later than that state. The message that a user delivered came earlier, so it is
        // copied once more.
        foreach (var (_, folder, number, count) in broughtBack.Where(b => b.States > chosen && atTarget[b.Folder, b.Number] > 0))
        {
            for (var left = count; left > 0; left--)
                model.Came(folder, number);
        }

        broughtBack.RemoveAll(b => b.States > chosen);
        await WorldPlace.CopyAsync(copy, job.StateDirectory);
        (knownOfSource, knownOfTarget) = (new(ofSource, StringComparer.Ordinal), new(ofTarget, StringComparer.Ordinal));
        knownOfRestores = new(ofRestores, StringComparer.Ordinal);
        setBackForRestores = wasPutBack ? new(ofRestores.Keys, StringComparer.Ordinal) : new(StringComparer.Ordinal);
        Tell($"the state directory is put back from {Path.GetFileName(copy)}");
        tally.Add("state put back from an older copy");
    }

    private void ChangeRules()
    {
        isStateOdd = true;
        tally.Add("rules changed");
        job = random.Next(6) switch
        {
            0 => job with { Messages = new MessageFilter { Since = DateTimeOffset.FromUnixTimeSeconds(1_420_000_000 + random.NextInt64(300_000_000)) } },
            1 => job with { Messages = new MessageFilter { Before = DateTimeOffset.FromUnixTimeSeconds(1_420_000_000 + random.NextInt64(300_000_000)) } },
            2 => job with { Messages = new MessageFilter { MaxSizeBytes = 1200 } },
            3 => job with { Folders = new FolderRules { Include = ["INBOX", "Work", "Lists/**", "Renamed*"] } },
            4 when people.AnyFolder(sourceHistory) is var left && left != "INBOX" => job with { Folders = new FolderRules { Exclude = [left] } },
            _ => job with { Folders = new FolderRules(), Messages = new MessageFilter() },
        };
        Tell($"rules: {job.Messages.Fingerprint}, include {string.Join(' ', job.Folders.Include)}, exclude {string.Join(' ', job.Folders.Exclude)}");
    }

    private bool IsInScope(string folder, int number) => model.Passes(job.Messages, number)
        && (job.Folders.Include is not ["INBOX", ..] || folder is "INBOX" or "Work" || folder.StartsWith("Lists/", StringComparison.Ordinal) || folder.StartsWith("Renamed", StringComparison.Ordinal))
        && !job.Folders.Exclude.Contains(folder);

    private async Task<WorldEnd> RunAsync(bool lies, bool heal = false)
    {
        runs.BeHonest();
        var hidesSource = runs.HidesCounters(source, lies, () => FolderOf(sourceHistory), isStateOdd);
        var hidesTarget = runs.HidesCounters(target, lies, () => FolderOf(targetHistory), isStateOdd);
        // If LIST omits a folder that was created or renamed since the last run, the program can't know that the folder exists.
        var unseen = runs.HiddenFolder is { } hidden && !knownOfSource.ContainsKey(hidden) ? hidden : null;
        // A source of plain files has no UID counters that could reveal that an older copy was restored.
        sourceHistory.Open(model, knownOfSource, hidesSource || source.Server is null, isSource: true);
        targetHistory.Open(model, knownOfTarget, hidesTarget, isSource: false);
        var (before, there) = (targetHistory.Last, sourceHistory.Last);
        var isBusy = lies && random.Next(4) == 0;
        var report = await runs.PerformAsync(job, new RunOptions(Heal: heal), lies, isBusy);
        var (after, now) = (targetHistory.Look(), sourceHistory.Look());
        Tell($"target: {after}");
        var verdict = new WorldVerdict();
        var common = there.Common(now);
        verdict.JudgeTarget(model, job, before, after, common);
        if (!isBusy)
            verdict.JudgeUntouched(there, now, "the source");
        if (report.IsOk)
        {
            // The program may also be unable to detect mail that arrived during the run.
            if (isBusy)
                sourceHistory.Open(model, knownOfSource, hidesSource || source.Server is null, isSource: true);
            verdict.JudgePresence(model, job, after, common, (f, n) => f != unseen && IsInScope(f, n), isUntold: true, forgivesPeople: !KeepsWhatItGets);
            (knownOfSource, knownOfTarget) = (sourceHistory.Arrivals(), targetHistory.Arrivals());
            sourceHistory.Settled();
            targetHistory.Settled();
        }
        else
        {
            // Even a failed run may have recorded folders that no earlier run had seen.
            Remember(knownOfSource, sourceHistory.Arrivals());
            Remember(knownOfTarget, targetHistory.Arrivals());
        }

        if (unseen is not null)
            knownOfSource.Remove(unseen);

        Require(verdict);
        return report;
    }

    private async Task RestoreAsync()
    {
        if (targetHistory.Last.Total() == 0)
            return;
        var backup = targetHistory.Last;
        var before = sourceHistory.Last;
        var numbers = backup.All.Select(m => m.Number).Where(n => n > 0 && model.Mail.ContainsKey(n)).Distinct().Order().ToList();
        var filter = random.Next(4) switch
        {
            0 => new MessageFilter { MessageIds = [WorldMail.Id(numbers[random.Next(numbers.Count)])] },
            1 => new MessageFilter { Since = DateTimeOffset.FromUnixTimeSeconds(1_420_000_000 + random.NextInt64(300_000_000)) },
            _ => new MessageFilter(),
        };
        // These folders were replaced by an older copy. By now UIDNEXT is again as high as the program's restore had recorded. So no
        // program can detect that the UIDs belong to other mail.
        var doubtful = setBackForRestores.Where(f => targetHistory.Arrivals().GetValueOrDefault(f) >= knownOfRestores[f]).ToHashSet(StringComparer.Ordinal);
        var folder = random.Next(3) == 0 ? people.AnyFolder(targetHistory) : null;
        ImmutableArray<string> globs = folder is null ? [] : [folder];
        Tell($"restore: {filter.Fingerprint} {string.Join(' ', filter.MessageIds)} folders {folder}");
        var report = await runs.PerformAsync(new RestoreOrigin(job, globs).ToJob(null, filter), new RunOptions(), random.Next(3) == 0, isBusy: false);
        tally.Add("restore");
        var after = sourceHistory.Look();
        Tell($"source: {after}");
        var verdict = new WorldVerdict();
        verdict.JudgeUntouched(backup, targetHistory.Look(), "the backup");
        var (keepsTrash, trash) = (job.Deletions == DeletionPolicy.Trash, job.TrashFolder.ToString());
        verdict.JudgeRestored(before, after, backup, keepsTrash, trash, (f, n) => doubtful.Contains(f) && targetHistory.CameSince(f, n));
        if (report.IsOk && filter.MessageIds.IsEmpty && !wasPutBack)
            verdict.JudgePresence(model, job, after, backup, (f, n) => n > 0 && (folder is null || f == folder) && !(keepsTrash && f == trash) && model.Passes(filter, n), isUntold: true, forgivesPeople: false);
        foreach (var (f, number, count) in after.All.Where(m => m.Count > before[m.Folder, m.Number]))
        {
            if (model.CopiesOfPeople(f, number) is > 0 and var theirs)
                broughtBack.Add((states.Count, f, number, Math.Min(theirs, count - before[f, number])));
            model.CameBack(f, number, count);
        }

        Remember(knownOfRestores, targetHistory.Arrivals());
        if (report.IsOk)
        {
            foreach (var (f, count) in targetHistory.Arrivals().Where(a => folder is null || a.Key == folder))
                knownOfRestores[f] = count;
            setBackForRestores.RemoveWhere(f => folder is null || f == folder);
        }

        Require(verdict);
    }

    /// <summary>
    /// Makes the last runs, without faults. All mail must reach the target within a few runs, and the next run must have nothing to do.
    /// </summary>
    private async Task EndAsync()
    {
        var report = await RunAsync(lies: false, heal: true);
        for (var left = QuietRuns - 1; left > 0 && !report.IsOk; left--)
            report = await RunAsync(lies: false, heal: true);
        var verdict = new WorldVerdict();
        verdict.JudgePresence(model, job, targetHistory.Last, sourceHistory.Last, IsInScope, isUntold: false, forgivesPeople: !KeepsWhatItGets);
        if (!report.IsOk)
            verdict.Add("the runs that nothing befell did not end well");
        Require(verdict);
        var last = await RunAsync(lies: false);
        if (!last.IsOk || last.Changes > 0)
            verdict.Add($"nothing had changed, and the last run found something to do: {last}");
        Require(verdict);
        tally.AddMail(model.Mail.Count);
    }

    /// <summary>Adds the folders not known before, each with the number of messages that have arrived in it.</summary>
    private static void Remember(Dictionary<string, int> known, Dictionary<string, int> arrivals)
    {
        foreach (var (folder, count) in arrivals)
            known.TryAdd(folder, count);
    }

    private string FolderOf(PlaceHistory history) => people.AnyFolder(history.Last.Folders.Count > 0 ? history : sourceHistory);

    private void Require(WorldVerdict verdict)
    {
        tally.Add(verdict);
        Assert.True(verdict.Lines.Count == 0, string.Join("\n    ", verdict.Lines));
    }

    private void Tell(string text)
    {
        lock (story)
            story.Add(text);
    }
}
