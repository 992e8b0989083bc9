using System.Globalization;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Crash.States;

/// <summary>
/// Runs the program under strace, from a local source to a local target. Recreates the file system states that a crash of the run may
/// leave, and checks that the next run recovers from each.
/// </summary>
internal sealed class RecordedRun : IDisposable
{
    private readonly TempDir dir = new();
    private readonly string format;
    private readonly JobDefinition job;
    private int next = 1;

    /// <param name="format">The format of the target: maildir, mbox or eml.</param>
    public RecordedRun(string name, string format)
    {
        (Name, this.format) = (name, format);
        Source = new MaildirWriter(dir.Create("source"));
        Source.AddFolder("INBOX");
        dir.Create("tree");
        job = new JobDefinition("crash", new MaildirEndpoint(dir["source"]), Target())
        {
            Deletions = DeletionPolicy.Trash,
            DeletionLimit = new DeletionLimit(100, IsPercent: true),
            StateDirectory = StateDirectory,
        };
    }

    public string Name { get; }

    public MaildirWriter Source { get; }

    public string StateDirectory => Path.Combine(Tree, "state");

    private string Tree => dir["tree"];

    private string TargetDirectory => Path.Combine(Tree, "target");

    public IReadOnlyList<FileOperation> Operations { get; private set; } = [];

    private IReadOnlyList<(byte[] Octets, DateTime Time)?> LastContents { get; set; } = [];

    private MailboxSnapshot Expected { get; set; } = new();

    private string Before => dir["before"];

    public void AddMail(string folder, int count, string flags = "")
    {
        for (var i = 0; i < count; i++, next++)
            Source.Add(folder, MailGenerator.Message(next, 400 + (next * 97 % 3000)), MailGenerator.Date(next), flags.Length > 0 || next % 3 == 0 ? flags : next % 3 == 1 ? "S" : "FSa");
    }

    /// <summary>Changes the flags of every n-th message of a folder.</summary>
    public void Flag(string folder, int every, string flags)
    {
        foreach (var file in Messages(folder, every))
            File.Move(file, string.Concat(file.AsSpan(0, file.LastIndexOf(',') + 1), flags), overwrite: true);
    }

    public void Delete(string folder, int every)
    {
        foreach (var file in Messages(folder, every))
            File.Delete(file);
    }

    /// <summary>Runs the job in this process, without recording or a crash.</summary>
    public async Task<JobReport> RunAsync() =>
        await new JobRunner(new HastyTime(), StoreRegistry.Opener)
            .RunAsync(job, new RunOptions(), _ => { }, CancellationToken.None, CancellationToken.None)
            .WaitAsync(TimeSpan.FromMinutes(5), TimeProvider.System, CancellationToken.None);

    /// <summary>Records the run whose crashes are simulated. Existing files count as durable.</summary>
    public async Task RecordAsync()
    {
        await Command.RunAsync("cp", ["-a", Tree, Before]);
        var model = new FileSystemModel(Tree);
        var prefix = Path.Combine(dir.Create("record"), "thread");
        dir.Write("job.yaml", $"""
            jobs:
              - name: crash
                source:
                  url: maildir:{dir["source"]}
                target:
                  url: {job.Target.Display}
                state: {StateDirectory}
                deletions: trash
                deletion_limit: 100%

            """);
        await using var process = ImapsyncProcess.Start(dir.Create("home"), ["run", dir["job.yaml"]], through: FileRecord.Recorder(prefix));
        var result = await process.WaitAsync();
        Assert.True(result.Status == 0, $"{Name}: {result}");
        Operations = FileRecord.Read(prefix, Tree);
        foreach (var operation in Operations)
            model.Do(operation);
        LastContents = model.LastContents();
        Expected = await SnapshotAsync();
    }

    /// <summary>Returns a model of the file system as it was before the recorded run.</summary>
    public async Task<FileSystemModel> BeginAsync()
    {
        Directory.Delete(Tree, recursive: true);
        await Command.RunAsync("cp", ["-a", Before, Tree]);
        var model = new FileSystemModel(Tree);
        model.Know(LastContents);
        return model;
    }

    /// <summary>Discards the record; the next one starts from the files as they are now.</summary>
    public void Rebase()
    {
        Directory.Delete(Before, recursive: true);
        Directory.Delete(dir["record"], recursive: true);
    }

    /// <summary>
    /// Runs the job twice after a crash. The first run must make the target as the recorded run did, and the second must find nothing to
    /// do.
    /// </summary>
    public async Task<CrashVerdict> RecoverAsync()
    {
        var report = await RunAsync();
        if (!Directory.Exists(TargetDirectory))
            return new CrashVerdict(Digests(Expected).Count, 0, $"the run ended {report.Outcome} and made no target: {string.Join("; ", report.Problems.Select(p => p.Text))}");
        var actual = await SnapshotAsync();
        var (lost, extra) = (Surplus(Digests(Expected), Digests(actual)), Surplus(Digests(actual), Digests(Expected)));
        var text = actual.DifferenceFrom(Expected);
        if (report.Outcome != JobOutcome.Ok)
            text += $"\nthe run ended {report.Outcome}: {string.Join("; ", report.Problems.Select(p => $"{p.Folder} {p.Reason}: {p.Text}"))}";
        if (format == "mbox" && !MboxrdReader.Digests(TargetDirectory).Order().SequenceEqual(Digests(actual).Select(d => d[(d.IndexOf(' ', StringComparison.Ordinal) + 1)..]).Order()))
            text += "\nthe mbox files hold other messages than the product says";
        if (format == "maildir" ? MaildirReader.TemporaryFiles(TargetDirectory).Any() : format == "eml" && Directory.EnumerateFiles(Path.Combine(TargetDirectory, ".imapsync-tmp")).Any())
            text += "\ntemporary files are left";
        if (text.Length == 0)
        {
            var again = await RunAsync();
            if (again.Outcome != JobOutcome.Ok || again.Totals.Copied + again.Totals.Deleted + again.Totals.FlagsUpdated > 0)
                text = string.Create(CultureInfo.InvariantCulture, $"the run after it had something to do: {again.Outcome} {again.Totals}");
        }

        return new CrashVerdict(lost, extra, text);
    }

    public void Dispose() => dir.Dispose();

    private async Task<MailboxSnapshot> SnapshotAsync() =>
        (format == "maildir" ? MaildirReader.Read(TargetDirectory) : await StoreReader.ReadAsync(Target())).WithoutSubscriptions();

    private Endpoint Target() => format switch
    {
        "mbox" => new MboxEndpoint(TargetDirectory),
        "eml" => new EmlEndpoint(TargetDirectory),
        _ => new MaildirEndpoint(TargetDirectory),
    };

    private static List<string> Digests(MailboxSnapshot mailbox) => [.. mailbox.Folders.SelectMany(f => f.Value.Messages.Select(m => $"{f.Key.Replace(' ', '_')} {m.Digest}"))];

    private static int Surplus(List<string> first, List<string> second)
    {
        var counts = second.CountBy(d => d).ToDictionary();
        return first.CountBy(d => d).Sum(d => Math.Max(0, d.Value - counts.GetValueOrDefault(d.Key)));
    }

    private IEnumerable<string> Messages(string folder, int every) =>
        Directory.GetFiles(Path.Combine(Source.FolderDirectory(folder), "cur")).Order(StringComparer.Ordinal).Where((_, i) => i % every == 0);
}

/// <summary>The result of the runs after a crash.</summary>
/// <param name="Lost">Messages that are missing.</param>
/// <param name="Doubled">Messages that exist twice or should not exist.</param>
/// <param name="Text">A description of the faults; empty if there are none.</param>
internal sealed record CrashVerdict(int Lost, int Doubled, string Text);
