using System.Security.Cryptography;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Restoring;

/// <summary>An awkward mailbox as mbox files, a Maildir backup of it, and methods to restore that backup.</summary>
internal sealed class BackupFixture : IDisposable
{
    private static readonly string[] Flags = ["", "S", "FS", "RSa", "Sb", "DFRSTac"];

    private readonly JobRunner runner = new(TimeProvider.System, StoreRegistry.Opener);

    public BackupFixture() => Backup = new JobDefinition("alice", new MboxEndpoint(Directory["mbox"]), new MaildirEndpoint(Directory["backup"]))
    {
        StateDirectory = Directory["state"],
    };

    public TempDir Directory { get; } = new();

    /// <summary>The job that made the backup.</summary>
    public JobDefinition Backup { get; set; }

    /// <summary>Copies a Maildir to mbox files and backs these up.</summary>
    public async Task FillAsync()
    {
        var maildir = new MaildirWriter(Directory["original"]);
        maildir.AddFolder("INBOX");
        var number = 0;
        foreach (var (_, octets) in AwkwardMail.Messages())
            maildir.Add(AwkwardMail.Folder, octets, Day(number), Flags[number++ % Flags.Length]);
        maildir.Add("INBOX", "Message-ID: <one@x.example>\n\nI am wanted\n"u8, Day(3), "S");
        foreach (var name in AwkwardMail.FolderNames)
            maildir.Add(name, System.Text.Encoding.UTF8.GetBytes($"Message-ID: <in-{number++}@x.example>\n\n{name}\n"), Day(4));
        await OkAsync(Backup with { Source = new MaildirEndpoint(Directory["original"]), Target = Backup.Source, StateDirectory = Directory["state-original"] });
        await OkAsync(Backup);
    }

    public static DateTimeOffset Day(int day) => new DateTimeOffset(2025, 6, 1, 10, 0, 0, TimeSpan.Zero).AddDays(day);

    public JobDefinition Restore(Endpoint to, MessageFilter? messages = null, params string[] folders) =>
        new RestoreOrigin(Backup, [.. folders]).ToJob(to, messages ?? new MessageFilter());

    public Task<JobReport> RunAsync(JobDefinition job, bool dryRun = false) =>
        runner.RunAsync(job, new RunOptions(dryRun), _ => { }, CancellationToken.None, TestContext.Current.CancellationToken);

    public async Task<JobReport> OkAsync(JobDefinition job)
    {
        var report = await RunAsync(job);
        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
        return report;
    }

    /// <summary>Every path below the backup, with the time and the digest of each file.</summary>
    public string Fingerprint() => string.Join('\n', System.IO.Directory
        .EnumerateFileSystemEntries(Directory["backup"], "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
        .Select(p => File.Exists(p) ? $"{p} {File.GetLastWriteTimeUtc(p):O} {Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(p)))}" : p));

    public void Dispose() => Directory.Dispose();
}
