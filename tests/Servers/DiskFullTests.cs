using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// The disk fills up during a backup by the real program. The engine's tests of the same name let every single write fail.
/// </summary>
public sealed class DiskFullTests
{
    [Theory]
    [InlineData("maildir")]
    [InlineData("mbox")]
    public async Task The_run_ends_with_what_to_do_and_the_next_one_goes_on(string format)
    {
        await NeedsMountAsync();
        using var disk = await SmallDisk.MountAsync();
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 400 });
        lab.Target = $"{format}:{disk["mail"]}";
        await disk.LeaveAsync(pages: 150);

        var stopped = await lab.RunAsync();
        Assert.True(stopped.Status == 1, stopped.ToString());
        Assert.Equal("failed", stopped.Outcome);
        var problem = Assert.Single(stopped.Problems);
        Assert.StartsWith("quota: " + (format == "mbox" ? disk.Path : ""), problem, StringComparison.Ordinal);
        Assert.Contains(disk.Path, problem, StringComparison.Ordinal);
        Assert.Contains("make room there and run again", stopped.Error, StringComparison.Ordinal);
        stopped.AddsUp();

        await disk.LeaveAsync();
        var resumed = await lab.SucceedAsync();
        Assert.Equal(400 - stopped.Total("copied"), resumed.Total("copied"));
        var source = await lab.SourceAsync();
        BackupLab.Same(source, format == "mbox" ? await StoreReader.ReadMboxAsync(disk["mail"]) : MaildirReader.Read(disk["mail"]));
    }

    [Fact]
    public async Task A_report_that_finds_no_room_is_told_and_leaves_nothing_half_written()
    {
        await NeedsMountAsync();
        using var disk = await SmallDisk.MountAsync();
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 5 });
        await disk.LeaveAsync(pages: 0);

        var report = disk["report.json"];
        lab.WriteJob();
        await using var process = ImapsyncProcess.Start(lab.Dir.Create("home"), ["run", lab.JobFile, "--report", report], lab.Environment);
        var result = await process.WaitAsync();
        Assert.True(result.Status == 1, result.ToString());
        Assert.Contains(report, result.Error, StringComparison.Ordinal);
        Assert.Contains("make room there", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Directory.EnumerateFiles(disk.Path), f => Path.GetFileName(f).StartsWith("report", StringComparison.Ordinal));

        // The mail itself must be complete.
        await lab.TargetEqualsSourceAsync();
    }

    private static async Task NeedsMountAsync()
    {
        var why = await SmallDisk.WhyNotAsync();
        Assert.SkipWhen(why is not null, why ?? "");
    }
}
