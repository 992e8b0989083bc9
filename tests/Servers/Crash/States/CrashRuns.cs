namespace Imapsync.Servers.Tests.Crash.States;

/// <summary>The runs whose crashes are simulated.</summary>
internal static class CrashRuns
{
    /// <summary>Slightly below the size at which a journal is compacted.</summary>
    private const long AlmostCompacted = 63 * 1024;

    public static IReadOnlyList<Func<int, Task<RecordedRun>>> All { get; } =
    [
        _ => FirstAsync("first copy to a Maildir", "maildir"),
        _ => FirstAsync("first copy to mbox files", "mbox"),
        _ => FirstAsync("first copy to .eml files", "eml"),
        _ => LaterAsync("new mail, flags and removals, Maildir", "maildir"),
        _ => LaterAsync("new mail, flags and removals, mbox files", "mbox"),
        _ => LaterAsync("new mail, flags and removals, .eml files", "eml"),
        _ => CompactingAsync(),
        seed => ContinuingAsync("going on after a crash, Maildir", "maildir", seed),
        seed => ContinuingAsync("going on after a crash, mbox files", "mbox", seed),
        seed => ContinuingAsync("going on after a crash, .eml files", "eml", seed),
    ];

    private static async Task<RecordedRun> FirstAsync(string name, string format)
    {
        var run = Filled(name, format);
        await run.RecordAsync();
        return run;
    }

    private static async Task<RecordedRun> LaterAsync(string name, string format)
    {
        var run = Filled(name, format);
        await run.RunAsync();
        Change(run);
        await run.RecordAsync();
        return run;
    }

    private static async Task<RecordedRun> CompactingAsync()
    {
        var run = Filled("compaction of a checkpoint", "maildir");
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

    private static async Task<RecordedRun> ContinuingAsync(string name, string format, int seed)
    {
        var run = Filled(name, format);
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

    private static RecordedRun Filled(string name, string format)
    {
        var run = new RecordedRun(name, format);
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
