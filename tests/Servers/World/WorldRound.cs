using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Servers.Tests.Model;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.World;

/// <param name="Changes">Messages copied and removed, as far as it could tell.</param>
internal readonly record struct WorldEnd(bool IsOk, long Changes);

/// <summary>
/// One mailbox and its copy among disks that are put back, servers that leave things out, people who work at both ends, rules that
/// change and restores. After each run what lies there is compared with what was done, never with what the product remembers.
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
    private readonly List<(string Copy, Dictionary<string, int> Source, Dictionary<string, int> Target, MailCounts AtTarget)> states = [];
    private JobDefinition job;
    private Dictionary<string, int> knownOfSource = new(StringComparer.Ordinal);
    private Dictionary<string, int> knownOfTarget = new(StringComparer.Ordinal);
    private readonly Dictionary<WorldPlace, Lie> manners = [];
    private bool wasPutBack;
    private bool isStateOdd;
    private int nights;

    public WorldRound(int seed, ModelServers servers, WorldTally tally)
    {
        this.tally = tally;
        // Neighbouring seeds alone would begin alike.
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
        foreach (var place in (WorldPlace[])[source, target])
        {
            if (place.Line is not null && random.Next(6) == 0)
                manners[place] = Lies.Lasting[random.Next(Lies.Lasting.Length)];
        }

        Tell($"seed {seed}: {Name(source)} to {Name(target)}, flags {job.Flags}, deletions {deletions}"
            + string.Concat(manners.Select(m => $", {(m.Key == source ? "source" : "target")} always: {m.Value}")));
    }

    /// <summary>What happened, for whoever has to find out why.</summary>
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
        states.Add((copy, new(knownOfSource, StringComparer.Ordinal), new(knownOfTarget, StringComparer.Ordinal), targetHistory.Last));
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
        Tell($"{(ofSource ? "source" : "target")}: put back from {copy}: {history.Last}");
        tally.Add(ofSource ? "source put back from an older copy" : "target put back from an older copy");
    }

    private async Task StateAsync()
    {
        isStateOdd = true;
        // What is kept of mail that left the source is anybody's for a job that remembers nothing of it.
        foreach (var (folder, number, count) in targetHistory.Last.All.Where(m => m.Count > sourceHistory.Last[m.Folder, m.Number]))
        {
            for (var left = count - sourceHistory.Last[folder, number]; left > 0; left--)
                model.Came(folder, number);
        }

        if (Directory.Exists(job.StateDirectory))
            Directory.Delete(job.StateDirectory, recursive: true);
        if (states.Count == 0 || random.Next(4) == 0)
        {
            (knownOfSource, knownOfTarget) = (new(StringComparer.Ordinal), new(StringComparer.Ordinal));
            Tell("the state directory is lost");
            tally.Add("state lost");
            return;
        }

        var (copy, ofSource, ofTarget, atTarget) = states[random.Next(states.Count)];
        // An account's owner deletes: what the state knows there and is gone since then stays gone, if it comes back at the source.
        foreach (var (folder, number, count) in KeepsWhatItGets ? [] : atTarget.All.Where(m => m.Count > targetHistory.Last[m.Folder, m.Number]))
            model.MayBeMissing(folder, number);
        await WorldPlace.CopyAsync(copy, job.StateDirectory);
        (knownOfSource, knownOfTarget) = (new(ofSource, StringComparer.Ordinal), new(ofTarget, StringComparer.Ordinal));
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
        BeHonest();
        var (hidesSource, hidesTarget) = lies ? (DrawLie(source, sourceHistory), DrawLie(target, targetHistory)) : (false, false);
        hidesSource |= manners.TryGetValue(source, out var ofSource) && Lies.HidesCounters(ofSource);
        hidesTarget |= manners.TryGetValue(target, out var ofTarget) && Lies.HidesCounters(ofTarget);
        // Somebody's files have no counters that go back.
        sourceHistory.Open(model, knownOfSource, hidesSource || source.Server is null, isSource: true);
        targetHistory.Open(model, knownOfTarget, hidesTarget, isSource: false);
        var (before, there) = (targetHistory.Last, sourceHistory.Last);
        var isBusy = lies && random.Next(4) == 0;
        var report = await PerformAsync(job, new RunOptions(Heal: heal), lies, isBusy);
        var (after, now) = (targetHistory.Look(), sourceHistory.Look());
        Tell($"target: {after}");
        var verdict = new WorldVerdict();
        var common = there.Common(now);
        verdict.JudgeTarget(model, job, before, after, common);
        if (!isBusy)
            verdict.JudgeUntouched(there, now, "the source");
        if (report.IsOk)
        {
            verdict.JudgePresence(model, job, after, common, IsInScope, isUntold: true, forgivesPeople: !KeepsWhatItGets);
            (knownOfSource, knownOfTarget) = (sourceHistory.Arrivals(), targetHistory.Arrivals());
            sourceHistory.Settled();
            targetHistory.Settled();
        }

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
        var folder = random.Next(3) == 0 ? people.AnyFolder(targetHistory) : null;
        ImmutableArray<string> globs = folder is null ? [] : [folder];
        Tell($"restore: {filter.Fingerprint} {string.Join(' ', filter.MessageIds)} folders {folder}");
        var report = await PerformAsync(new RestoreOrigin(job, globs).ToJob(null, filter), new RunOptions(), random.Next(3) == 0, isBusy: false);
        tally.Add("restore");
        var after = sourceHistory.Look();
        Tell($"source: {after}");
        var verdict = new WorldVerdict();
        verdict.JudgeUntouched(backup, targetHistory.Look(), "the backup");
        var (keepsTrash, trash) = (job.Deletions == DeletionPolicy.Trash, job.TrashFolder.ToString());
        verdict.JudgeRestored(before, after, backup, keepsTrash, trash);
        if (report.IsOk && filter.MessageIds.IsEmpty && !wasPutBack)
            verdict.JudgePresence(model, job, after, backup, (f, n) => n > 0 && (folder is null || f == folder) && !(keepsTrash && f == trash) && model.Passes(filter, n), isUntold: true, forgivesPeople: false);
        foreach (var (f, number, count) in after.All.Where(m => m.Count > before[m.Folder, m.Number]))
            model.CameBack(f, number, count);
        Require(verdict);
    }

    /// <summary>Nothing befalls these runs: all has to be in place soon, and then there is nothing left to do.</summary>
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

    /// <returns>True where it takes away what shows that a store was put back.</returns>
    private bool DrawLie(WorldPlace place, PlaceHistory history)
    {
        if (place.Line is not { } line || random.Next(3) == 0)
            return false;
        var lie = (Lie)random.Next(Enum.GetValues<Lie>().Length);
        // What a target holds and never lists can't be known there, nor a folder that no run has ever seen.
        if ((place == target && lie == Lie.ShortListing) || (lie == Lie.HiddenFolder && isStateOdd))
            lie = Lie.NoAppendUid;
        var folder = people.AnyFolder(history.Last.Folders.Count > 0 ? history : sourceHistory);
        Tell($"{(place == source ? "source" : "target")} lies: {lie}{(lie == Lie.HiddenFolder ? " " + folder : "")}");
        tally.Add($"lie: {lie}");
        line.Lie = Lies.Of(lie, folder, random.Next(1, 1000));
        return Lies.HidesCounters(lie);
    }

    private async Task<WorldEnd> PerformAsync(JobDefinition definition, RunOptions options, bool isTroubled, bool isBusy)
    {
        if (isTroubled && !definition.IsRestore && !options.Heal && random.Next(12) == 0)
            return await KilledAsync(definition);
        using var abort = new CancellationTokenSource();
        var eventsLeft = int.MaxValue;
        if (isTroubled && random.Next(4) == 0)
        {
            eventsLeft = random.Next(1, 40);
            Tell($"broken off at event {eventsLeft}");
            tally.Add("run broken off");
        }
        else if (isTroubled && random.Next(4) == 0)
        {
            foreach (var line in (LyingLine?[])[source.Line, target.Line])
            {
                var (lines, times) = (random.Next(5, 150), random.Next(1, 4));
                line?.CutAfter(lines, times);
            }

            tally.Add("run with connections cut");
            Tell("connections are cut");
        }

        var run = new JobRunner(new ModelTime(++nights), StoreRegistry.OpenAsync).RunAsync(definition, options, _ => Count(), CancellationToken.None, abort.Token);
        if (isBusy)
        {
            tally.Add("source busy during a run");
            for (var left = random.Next(1, 6); left > 0; left--)
            {
                people.Meanwhile();
                await Task.WhenAny(run, Task.Delay(TimeSpan.FromMilliseconds(3), TimeProvider.System, CancellationToken.None));
            }
        }

        var report = await run.WaitAsync(TimeSpan.FromMinutes(3), TimeProvider.System, CancellationToken.None);
        await SettleAsync();
        BeHonest();
        var isWhole = report.Folders.All(f => f.Counts.Copied + f.Counts.AlreadyPresent + f.Counts.Skipped + f.Counts.Failed == f.Counts.SourceMessages);
        Assert.True(isWhole, $"the counts do not add up: {report.Totals}");
        var end = new WorldEnd(report.Outcome == JobOutcome.Ok, report.Totals.Copied + report.Totals.Deleted);
        tally.AddRun(end.IsOk);
        Tell($"run: {report.Outcome} {report.Stop}, {report.Totals}" + string.Concat(report.Problems.Select(p => $"\n      {p.Scope} {p.Folder} {p.Reason}: {p.Text}"))
            + string.Concat(report.Notes.Select(n => $"\n      note {n}")));
        return end;

        void Count()
        {
            if (--eventsLeft == 0)
                abort.Cancel();
        }
    }

    /// <summary>As a process of its own, killed at some line of a server or, where there is none, at some moment.</summary>
    private async Task<WorldEnd> KilledAsync(JobDefinition definition)
    {
        tally.Add("process killed (kill -9)");
        var file = dir.Write("job.yaml", WorldJobText.Of(definition));
        var environment = new Dictionary<string, string> { [WorldJobText.PasswordVariable] = new DovecotOptions().Password };
        await using var process = ImapsyncProcess.Start(dir.Create("home"), ["run", file], environment);
        var line = random.Next(2) == 0 ? source.Line ?? target.Line : target.Line ?? source.Line;
        var (lines, wait) = (random.Next(5, 120), TimeSpan.FromMilliseconds(random.Next(100, 900)));
        var ended = process.WaitAsync();
        if (line is not null)
        {
            line.CallAfter(lines, process.Kill);
        }
        else
        {
            await Task.WhenAny(ended, Task.Delay(wait, TimeProvider.System, CancellationToken.None));
            process.Kill();
        }

        var result = await ended;
        await SettleAsync();
        BeHonest();
        Assert.True(result.Status != 2, result.Error);
        tally.AddRun(result.Status == 0);
        Tell($"process, to be killed at line {lines}: exit status {result.Status}: {result.Error.Trim()}");
        return new WorldEnd(result.Status == 0, 0);
    }

    private async Task SettleAsync()
    {
        foreach (var place in (WorldPlace[])[source, target])
            await (place.Line?.SettledAsync() ?? Task.CompletedTask).WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, CancellationToken.None);
    }

    /// <summary>As the servers are all the time, which may be odd enough.</summary>
    private void BeHonest()
    {
        foreach (var place in (WorldPlace[])[source, target])
        {
            place.Line?.BeHonest();
            if (manners.TryGetValue(place, out var manner))
                place.Line!.Lie = Lies.Of(manner, "", 3);
        }
    }

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
