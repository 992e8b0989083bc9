using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// Local files that can't be opened, read or written. Each fault is reported once, and the next run after its repair succeeds.
/// </summary>
public sealed class LocalFaultTests
{
    /// <summary>Starts the program as root without root's capabilities, so that file permissions apply to it.</summary>
    private static readonly string[] Unprivileged = Environment.IsPrivilegedProcess ? ["setpriv", "--bounding-set=-all"] : [];

    [Theory]
    [InlineData("maildir")]
    [InlineData("mbox")]
    [InlineData("state")]
    public async Task A_read_only_file_system_is_named_once_and_passes(string what)
    {
        var why = await SmallDisk.WhyNotAsync();
        Assert.SkipWhen(why is not null, why ?? "");
        using var disk = await SmallDisk.MountAsync();
        await using var lab = await LabAsync();
        if (what == "state")
            lab.StateName = disk["state"];
        else
            lab.Target = $"{what}:{disk["mail"]}";
        Directory.CreateDirectory(disk[what == "state" ? "state" : "mail"]);
        await disk.MakeReadOnlyAsync(true);
        await RefusedAsync(lab, disk.Path, "mount it for writing");
        Assert.Single(Directory.EnumerateFileSystemEntries(disk.Path, "*", SearchOption.AllDirectories));

        await disk.MakeReadOnlyAsync(false);
        await lab.SucceedAsync();
        // The file system becomes read-only between two runs, as Linux does to a file system with errors.
        await lab.ConnectAndFlagAsync();
        await disk.MakeReadOnlyAsync(true);
        await RefusedAsync(lab, disk.Path, "mount it for writing");
        await disk.MakeReadOnlyAsync(false);
        Assert.Equal(0, (await lab.SucceedAsync()).Total("copied"));
    }

    [Theory]
    [InlineData("maildir")]
    [InlineData("mbox")]
    [InlineData("state")]
    public async Task A_directory_without_permission_is_named_once_and_passes(string what)
    {
        await using var lab = await LabAsync();
        var directory = what == "state" ? lab.StateDirectory : lab.TargetDirectory;
        Directory.CreateDirectory(directory);
        if (what != "state")
            lab.Target = $"{what}:{directory}";
        lab.Through = Unprivileged;
        await ServerAccount.TakeOwnershipAsync(directory);
        File.SetUnixFileMode(directory, (UnixFileMode)0b101_101_101);
        await RefusedAsync(lab, directory, "let this user");

        File.SetUnixFileMode(directory, (UnixFileMode)0b111_111_111);
        await lab.SucceedAsync();
    }

    [Fact]
    public async Task A_folder_without_permission_fails_alone()
    {
        await using var lab = await LabAsync();
        lab.Through = Unprivileged;
        await lab.SucceedAsync();
        await lab.ConnectAndFlagAsync();
        var folder = Path.Combine(lab.TargetDirectory, ".Work");
        await ServerAccount.TakeOwnershipAsync(folder);
        foreach (var directory in (string[])[folder, Path.Combine(folder, "cur"), Path.Combine(folder, "new"), Path.Combine(folder, "tmp")])
            File.SetUnixFileMode(directory, (UnixFileMode)0b101_101_101);

        var outcome = await lab.RunAsync();
        Assert.True(outcome.Status == 3, outcome.ToString());
        Assert.Contains("let this user", Assert.Single(outcome.Problems), StringComparison.Ordinal);
        lab.Through = [];
        if (!Environment.IsPrivilegedProcess)
            await Command.RunAsync("chmod", ["-R", "u+w", folder]);
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task Whatever_the_limit_of_open_files_a_run_ends_and_the_next_one_without_it_completes()
    {
        await using var lab = await LabAsync();
        var refused = 0;
        for (var limit = 8; ; limit += 6)
        {
            Assert.True(limit < 1000, "no limit was enough");
            lab.StateName = $"state-{limit}";
            lab.Target = "maildir:" + lab.Dir[$"target-{limit}"];
            lab.Through = ["prlimit", $"--nofile={limit}"];
            var limited = await lab.RunAsync();
            lab.Through = [];
            var free = await lab.SucceedAsync();
            Assert.Equal(30, free.Total("copied") + free.Total("already_present"));
            BackupLab.Same(await lab.SourceAsync(), MaildirReader.Read(lab.Dir[$"target-{limit}"]), $"limit {limit}");
            if (limited.Status == 0)
                break;
            refused++;
        }

        Assert.True(refused > 0, "no limit was too small");
    }

    [Fact]
    public async Task State_of_a_newer_version_is_refused_with_what_to_do_and_nothing_is_touched()
    {
        await using var lab = await LabAsync();
        await lab.SucceedAsync();
        await lab.ConnectAndFlagAsync();
        var journal = Directory.GetFiles(Path.Combine(lab.StateDirectory, "pairs"), "INBOX-*").Single();
        // The first line of a journal has a CRC in every version of the format, so this is a valid journal of a later version.
        const string newer = "imapsync-journal 999 76e7388e\nfrom the future\n";
        await File.WriteAllTextAsync(journal, newer, TestContext.Current.CancellationToken);
        var before = MaildirReader.Read(lab.TargetDirectory);

        await RefusedAsync(lab, journal, "use the newer version that wrote it");
        Assert.Equal(newer, await File.ReadAllTextAsync(journal, TestContext.Current.CancellationToken));
        BackupLab.Same(before.Select((n, f) => n == "INBOX" ? f : null), MaildirReader.Read(lab.TargetDirectory).Select((n, f) => n == "INBOX" ? f : null));
    }

    private static Task<BackupLab> LabAsync() => BackupLab.StartAsync(mailbox =>
    {
        for (var i = 0; i < 30; i++)
            mailbox.Add(i < 10 ? "INBOX" : i < 20 ? "Work" : "Sent", MailGenerator.Message(i), MailGenerator.Date(i), "S");
    });

    private static async Task RefusedAsync(BackupLab lab, string path, string remedy)
    {
        var outcome = await lab.RunAsync();
        Assert.True(outcome.Status == 1, outcome.ToString());
        var problem = Assert.Single(outcome.Problems);
        Assert.Contains(path, problem, StringComparison.Ordinal);
        Assert.Contains(remedy, problem, StringComparison.Ordinal);
    }
}

file static class LocalFaultSource
{
    /// <summary>Changes flags at the source, so that the next run has something to write in each folder.</summary>
    public static async Task ConnectAndFlagAsync(this BackupLab lab)
    {
        await using var probe = await lab.ConnectAsync();
        foreach (var folder in (string[])["INBOX", "Work", "Sent"])
        {
            await probe.CommandAsync("SELECT " + folder);
            await probe.CommandAsync("UID STORE 1 +FLAGS (\\Flagged)");
        }
    }
}
