using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>A job that copies a Maildir of other programs into a Maildir that the job creates.</summary>
internal sealed class MaildirJob : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public MaildirJob(MaildirLayout layout = MaildirLayout.MaildirPlusPlus, MaildirLayout targetLayout = MaildirLayout.MaildirPlusPlus)
    {
        Directory.CreateDirectory(Source);
        Definition = new JobDefinition("job", new MaildirEndpoint(Source, layout), new MaildirEndpoint(Target, targetLayout))
        {
            StateDirectory = Path.Combine(directory.Path, "state"),
        };
    }

    public string Root => directory.Path;

    public string Source => Path.Combine(directory.Path, "source");

    public string Target => Path.Combine(directory.Path, "target");

    public JobDefinition Definition { get; set; }

    public JobReport Report { get; private set; } = null!;

    /// <summary>The folders and texts of all problems, joined.</summary>
    public string Problems => string.Join('\n', Report.Problems.Select(p => $"{p.Folder} {p.Text}"));

    public string Folder(string name)
    {
        var folder = Path.GetFullPath(Path.Combine(Source, name));
        foreach (var part in (string[])["tmp", "new", "cur"])
            Directory.CreateDirectory(Path.Combine(folder, part));
        return folder;
    }

    /// <param name="name">The path below the source, as in <c>A/cur/1.host:2,S</c>.</param>
    public string Deliver(string name, string contents)
    {
        var file = Path.Combine(Source, name);
        _ = Folder(Path.GetDirectoryName(Path.GetDirectoryName(name)!)!);
        File.WriteAllText(file, contents);
        return file;
    }

    public async Task<JobReport> RunAsync(bool dryRun = false) =>
        Report = await new JobRunner(TimeProvider.System, StoreRegistry.Opener).RunAsync(
            Definition, new RunOptions(dryRun), _ => { }, TestContext.Current.CancellationToken, TestContext.Current.CancellationToken);

    /// <summary>The messages at the target: folder, flags and contents of each.</summary>
    public IReadOnlyList<string> Arrived() =>
    [
        .. Directory.EnumerateFiles(Target, "*", SearchOption.AllDirectories)
            .Where(f => Path.GetFileName(Path.GetDirectoryName(f)) is "cur" or "new")
            .Select(f => $"{Path.GetRelativePath(Target, Path.GetDirectoryName(Path.GetDirectoryName(f))!)} {InfoOf(f)} {File.ReadAllText(f)}")
            .Order(StringComparer.Ordinal),
    ];

    public void Dispose() => directory.Dispose();

    private static string InfoOf(string file) => file.Contains(":2,", StringComparison.Ordinal) ? file[(file.LastIndexOf(',') + 1)..] : "";
}
