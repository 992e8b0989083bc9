namespace Imapsync.Servers.Tests.Crash.States;

/// <summary>The runs whose crashes are simulated.</summary>
internal static class CrashRuns
{
    /// <summary>Slightly below the size at which a journal is compacted.</summary>
    private const long AlmostCompacted = 63 * 1024;

    public static IReadOnlyList<Func<int, Task<RecordedRun>>> All { get; } =
    [
        _ => FirstAsync("first copy to a Maildir", isMbox: false),
        _ => FirstAsync("first copy to mbox files", isMbox: true),
        _ => LaterAsync("new mail, flags and removals, Maildir", isMbox: false),
        _ => LaterAsync("new mail, flags and removals, mbox files", isMbox: true),
        _ => CompactingAsync(),
        seed => ContinuingAsync("going on after a crash, Maildir", isMbox: false, seed),
        seed => ContinuingAsync("going on after a crash, mbox files", isMbox: true, seed),
    ];

    private static async Task<RecordedRun> FirstAsync(string name, bool isMbox)
    {
        var run = Filled(name, isMbox);
        await run.RecordAsync();
        return run;
    }

    private static async Task<RecordedRun> LaterAsync(string name, bool isMbox)
    {
        var run = Filled(name, isMbox);
        await run.RunAsync();
        Change(run);
        await run.RecordAsync();
        return run;
    }

    private static async Task<RecordedRun> CompactingAsync()
    {
        var run = Filled("compaction of a checkpoint", isMbox: false);
        await run.RunAsync();
        for (var i = 0; Journals(run).Max(j => j.Length) < AlmostCompacted; i++)
        {
            Assert.True(i < 500, "the journal does not grow");
            run.Flag("INBOX", 1, i % 2 == 0 ? "F" : "RS");
            await run.RunAsync();
        }

        var before = Journals(run).Max(j => j.Length);
        run.Flag("INBOX", 1, "S");
        run.Flag("INBOX", 2, "Tb");
        run.AddMail("INBOX", 60);
        await run.RecordAsync();
        Assert.True(Journals(run).Max(j => j.Length) < before, "no journal was compacted");
        return run;
    }

    private static async Task<RecordedRun> ContinuingAsync(string name, bool isMbox, int seed)
    {
        var run = Filled(name, isMbox);
        await run.RunAsync();
        Change(run);
        await run.RecordAsync();
        var random = new Random(seed);
        var model = await run.BeginAsync();
        foreach (var operation in run.Operations.Take((run.Operations.Count / 4) + random.Next(run.Operations.Count / 2)))
            model.Do(operation);
        model.WriteCrash(Survival.AnyNames, random);
        run.Rebase();
        await run.RecordAsync();
        return run;
    }

    private static RecordedRun Filled(string name, bool isMbox)
    {
        var run = new RecordedRun(name, isMbox);
        run.AddMail("INBOX", 22);
        run.AddMail("Work", 12);
        run.AddMail("Work/Invoices", 8, "Sbd");
        return run;
    }

    private static void Change(RecordedRun run)
    {
        run.Flag("INBOX", 3, "FRSc");
        run.Delete("INBOX", 4);
        run.Delete("Work", 3);
        run.AddMail("INBOX", 9);
        run.AddMail("Travel", 4, "e");
        run.Flag("Work/Invoices", 2, "");
    }

    private static IEnumerable<FileInfo> Journals(RecordedRun run) => new DirectoryInfo(Path.Combine(run.StateDirectory, "pairs")).EnumerateFiles("*.journal");
}
