using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Servers.Tests.Model;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.World;

/// <param name="Changes">The messages copied and removed, as far as the run reported.</param>
internal readonly record struct WorldEnd(bool IsOk, long Changes);

/// <summary>
/// Performs the runs of a test round. Draws each run's faults at random: false statements of servers, broken connections, kills.
/// </summary>
internal sealed class WorldRuns
{
    private readonly Random random;
    private readonly WorldTally tally;
    private readonly TempDir dir;
    private readonly WorldPlace source;
    private readonly WorldPlace target;
    private readonly WorldPeople people;
    private readonly Action<string> tell;
    private readonly Dictionary<WorldPlace, Lie> manners = [];
    private int nights;

    public WorldRuns(Random random, WorldTally tally, TempDir dir, WorldPlace source, WorldPlace target, WorldPeople people, Action<string> tell)
    {
        (this.random, this.tally, this.dir, this.source, this.target, this.people, this.tell) = (random, tally, dir, source, target, people, tell);
        foreach (var place in (WorldPlace[])[source, target])
        {
            if (place.Line is not null && random.Next(6) == 0)
                manners[place] = Lies.Lasting[random.Next(Lies.Lasting.Length)];
        }
    }

    /// <summary>What the server of the source or the target misstates in every run.</summary>
    public IReadOnlyDictionary<WorldPlace, Lie> Manners => manners;

    /// <summary>The folder that the source leaves out of LIST in the next run; null if it lists all.</summary>
    public string? HiddenFolder { get; private set; }

    /// <summary>Draws at random what the source's or the target's server misstates in the next run.</summary>
    /// <param name="lies">Whether to draw one false statement besides those that the server makes in every run.</param>
    /// <param name="anyFolder">Returns a folder for the false statement.</param>
    /// <param name="isStateOdd">Whether the job's state may lack what earlier runs saw.</param>
    /// <returns>Whether the server hides the counters that would reveal a store restored from an older copy.</returns>
    public bool HidesCounters(WorldPlace place, bool lies, Func<string> anyFolder, bool isStateOdd) =>
        (lies && DrawLie(place, anyFolder, isStateOdd)) | (manners.TryGetValue(place, out var manner) && Lies.HidesCounters(manner));

    private bool DrawLie(WorldPlace place, Func<string> anyFolder, bool isStateOdd)
    {
        if (place.Line is not { } line || random.Next(3) == 0)
            return false;
        var lie = (Lie)random.Next(Enum.GetValues<Lie>().Length);
        // Use another false statement. No program could know of mail that the target never lists, or of a folder that no run has seen.
        if ((place == target && lie == Lie.ShortListing) || (lie == Lie.HiddenFolder && isStateOdd))
            lie = Lie.NoAppendUid;
        var folder = anyFolder();
        tell($"{(place == source ? "source" : "target")} lies: {lie}{(lie == Lie.HiddenFolder ? " " + folder : "")}");
        tally.Add($"lie: {lie}");
        if (lie == Lie.HiddenFolder && place == source)
            HiddenFolder = folder;
        line.Lie = Lies.Of(lie, folder, random.Next(1, 1000));
        return Lies.HidesCounters(lie);
    }

    public async Task<WorldEnd> PerformAsync(JobDefinition definition, RunOptions options, bool isTroubled, bool isBusy)
    {
        if (isTroubled && !definition.IsRestore && !options.Heal && random.Next(12) == 0)
            return await KilledAsync(definition);
        using var abort = new CancellationTokenSource();
        var eventsLeft = int.MaxValue;
        if (isTroubled && random.Next(4) == 0)
        {
            eventsLeft = random.Next(1, 40);
            tell($"broken off at event {eventsLeft}");
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
            tell("connections are cut");
        }

        var run = new JobRunner(new ModelTime(++nights), StoreRegistry.Opener).RunAsync(definition, options, _ => Count(), CancellationToken.None, abort.Token);
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
        tell($"run: {report.Outcome} {report.Stop}, {report.Totals}" + string.Concat(report.Problems.Select(p => $"\n      {p.Scope} {p.Folder} {p.Reason}: {p.Text}"))
            + string.Concat(report.Notes.Select(n => $"\n      note {n}")));
        return end;

        void Count()
        {
            if (--eventsLeft == 0)
                abort.Cancel();
        }
    }

    /// <summary>Runs the job as a process. Kills it after some lines of a server or, without a server, after some time.</summary>
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
        tell($"process, to be killed at line {lines}: exit status {result.Status}: {result.Error.Trim()}");
        return new WorldEnd(result.Status == 0, 0);
    }

    private async Task SettleAsync()
    {
        foreach (var place in (WorldPlace[])[source, target])
            await (place.Line?.SettledAsync() ?? Task.CompletedTask).WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, CancellationToken.None);
    }

    /// <summary>From now on the servers of source and target misstate only what they misstate in every run.</summary>
    public void BeHonest()
    {
        HiddenFolder = null;
        foreach (var place in (WorldPlace[])[source, target])
        {
            place.Line?.BeHonest();
            if (manners.TryGetValue(place, out var manner))
                place.Line!.Lie = Lies.Of(manner, "", 3);
        }
    }
}
