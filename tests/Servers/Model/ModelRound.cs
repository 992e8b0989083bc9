using Imapsync.Engine.Jobs;
using Imapsync.Engine.State;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>
/// A random mailbox, changes at source and target, and runs with and without faults. After each successful run the target must show what
/// the model says.
/// </summary>
internal sealed class ModelRound : IRound
{
    private readonly List<string> story = [];
    private readonly Random random;
    private readonly ModelTally tally;
    private readonly DovecotServer sourceServer;
    private readonly string sourceUser;
    private readonly TempDir dir = new();
    private readonly FaultyLine sourceLine;
    private readonly FaultyLine? targetLine;
    private readonly ModelTarget target;
    private readonly ModelMailbox model;
    private readonly SourceChanges changes;
    private readonly TargetUsers users;
    private readonly JobDefinition job;
    private readonly ModelRun runs;

    public ModelRound(int seed, ModelServers servers, ModelTally tally)
    {
        this.tally = tally;
        // Spread the seeds, because neighbouring seeds would produce similar random sequences.
        random = new Random(unchecked((int)((uint)seed * 2654435761u)));
        sourceServer = servers.Any(random);
        var account = Guid.NewGuid().ToString("N")[..12];
        sourceUser = "s" + account;
        sourceLine = new FaultyLine(random, sourceServer, sourceUser);
        var targetServer = servers.Any(random);
        switch (random.Next(5))
        {
            case 0:
                target = new MaildirTarget(dir["target"]);
                break;
            case 1:
                target = new MboxTarget(dir["target"]);
                break;
            default:
                targetLine = new FaultyLine(random, targetServer, "t" + account);
                target = new ImapTarget(targetServer, "t" + account, targetLine.Endpoint);
                break;
        }

        var deletions = targetLine is null || ModelServers.CanRemove(targetServer) ? (DeletionPolicy)random.Next(3) : DeletionPolicy.Keep;
        model = new ModelMailbox((FlagPolicy)random.Next(3), deletions);
        job = new JobDefinition("model", sourceLine.Endpoint, target.Endpoint)
        {
            Flags = model.FlagPolicy,
            Deletions = deletions,
            DeletionLimit = new DeletionLimit(100, IsPercent: true),
            StateDirectory = dir["state"],
        };
        runs = new ModelRun(job);
        var numbers = new Numbers();
        changes = new SourceChanges(random, model, numbers, Tell);
        users = new TargetUsers(random, model, numbers, Tell);
        Tell($"seed {seed}: {sourceServer.Options.Capability ?? "all"} ({sourceLine.Endpoint.Tls}, {sourceLine.Endpoint.Connections}) to "
            + $"{(targetLine is null ? target.GetType().Name : targetServer.Options.Capability ?? "all")} ({targetLine?.Endpoint.Tls}, {targetLine?.Endpoint.Connections}), flags {job.Flags}, deletions {deletions}");
    }

    /// <summary>What happened in the round, for the person who has to find the cause of a failure.</summary>
    public string Story => string.Join("\n  ", story);

    /// <summary>Plays the round. Throws when a message is lost, doubled or changed, or when a run hangs.</summary>
    public async Task PlayAsync()
    {
        await using (var probe = await ConnectAsync())
            await changes.FillAsync(probe);
        for (var left = random.Next(1, 5); left > 0; left--)
        {
            await TroubledRunAsync();
            if (target.HasUsers)
                await users.WorkAsync(target);
            await using var probe = await ConnectAsync();
            await changes.ChangeAsync(probe);
        }

        await QuietRunsAsync();
        await using var last = await ConnectAsync();
        BackupLab.Same(model.SourceSnapshot(), (await last.SnapshotAsync()).WithoutSubscriptions(), "the source has changed");
        tally.AddMessages(model.Delivered);
    }

    public async ValueTask DisposeAsync()
    {
        await sourceLine.DisposeAsync();
        if (targetLine is not null)
            await targetLine.DisposeAsync();
        dir.Dispose();
    }

    private async Task TroubledRunAsync()
    {
        var octets = model.AtSource.Sum(m => m.Length) + 5000;
        foreach (var line in Lines)
            line.Trouble(octets);
        var asProcess = random.Next(12) == 0;
        var end = asProcess ? await KilledRunAsync(octets) : await BreakableRunAsync(octets);
        await EndAsync(end, string.Join(", ", Lines.Select(l => $"line {l.Manner}{string.Concat(l.Proxy.Faults.Select(f => " " + f))}")));
        foreach (var line in Lines)
            tally.AddFaults(line.Manner, line.Proxy.Faults);
    }

    private async Task<RunEnd> BreakableRunAsync(long octets)
    {
        using var stop = new CancellationTokenSource();
        using var abort = new CancellationTokenSource();
        switch (random.Next(6))
        {
            case 0:
                Ambush(octets, abort.Cancel, "abort");
                break;
            case 1 when random.Next(2) == 0:
                Ambush(octets, stop.Cancel, "stop");
                break;
        }

        return await runs.InProcessAsync(new ModelTime(), stop.Token, abort.Token);
    }

    private async Task<RunEnd> KilledRunAsync(long octets)
    {
        // A run that will be killed gets no line faults, because each retry would really wait in its separate process.
        foreach (var line in Lines)
            line.Mend();
        var file = new JobText(job, sourceLine, targetLine).Write(dir);
        var environment = new Dictionary<string, string> { [JobText.PasswordVariable] = sourceServer.Password };
        return await ModelRun.AsProcessAsync(dir.Create("home"), file, environment, kill => Ambush(octets, kill, "kill -9"));
    }

    private void Ambush(long octets, Action strike, string name)
    {
        var line = Lines[random.Next(Lines.Count)];
        var action = () =>
        {
            tally.AddEnd(name);
            strike();
        };
        if (random.Next(2) == 0)
            line.Proxy.CallAfterFromServer(line.Place(octets), action);
        else
            line.Proxy.CallAfterFromClient(line.Place(octets), action);
    }

    private async Task QuietRunsAsync()
    {
        foreach (var line in Lines)
            line.Mend();
        var end = await runs.InProcessAsync(TimeProvider.System, CancellationToken.None, CancellationToken.None);
        await EndAsync(end, "quiet");
        Assert.True(end.WasOk, "the quiet run did not end well");
        var again = await runs.InProcessAsync(TimeProvider.System, CancellationToken.None, CancellationToken.None);
        await EndAsync(again, "once more");
        Assert.True(again.WasOk && again.Counts is { Copied: 0, FlagsUpdated: 0, Deleted: 0 }, "nothing had changed, and the last run found something to do");
    }

    private async Task EndAsync(RunEnd end, string how)
    {
        tally.AddRun(end);
        Tell($"run ({how}): {end.Text}");
        foreach (var line in Lines)
        {
            // Waits until all connections are closed. If the job left one open, the wait would never end, so it has a time limit.
            try
            {
                await line.Proxy.SettledAsync().WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, CancellationToken.None);
            }
            catch (TimeoutException)
            {
                throw new HangException("a minute after the run a connection of it was still open");
            }
        }

        model.AfterRun(end.WasOk);
        if (!end.WasOk)
            return;
        var verdict = TargetCheck.Compare(model, await target.ReadAsync());
        tally.AddVerdict(verdict);
        Assert.True(verdict.IsGood, "the target is not what it has to be:\n    " + string.Join("\n    ", verdict.Lines));
    }

    private List<FaultyLine> Lines => targetLine is null ? [sourceLine] : [sourceLine, targetLine];

    private Task<ImapProbe> ConnectAsync() => ImapProbe.ConnectAsync(sourceServer.Port, sourceUser, sourceServer.Password);

    private void Tell(string text)
    {
        lock (story)
            story.Add(text);
    }
}
