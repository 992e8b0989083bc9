using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary><c>compress: true</c> with a server that offers COMPRESS=DEFLATE, and with one that does not.</summary>
public sealed class CompressionTests
{
    private static readonly MailboxPlan Plan = new() { Messages = 300, AwkwardMessages = true };

    [Fact]
    public async Task A_backup_over_a_compressed_line_is_whole_and_fewer_octets_pass_than_arrive()
    {
        await using var lab = await BackupLab.StartAsync(Plan, new DovecotOptions { Plugins = "imap_zlib" });
        lab.Endpoint += "\n      compress: true";
        await lab.SucceedAsync();
        await lab.TargetEqualsSourceAsync();
        var passed = lab.Line.TotalFromServer;
        var arrived = Directory.EnumerateFiles(lab.TargetDirectory, "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length);
        Assert.True(passed < arrived * 3 / 4, $"{passed} octets for {arrived}");
    }

    [Fact]
    public async Task A_server_without_it_is_read_as_it_is_and_a_note_says_so_once()
    {
        await using var lab = await BackupLab.StartAsync(Plan);
        lab.Endpoint += "\n      compress: true";
        var report = await lab.SucceedAsync();
        Assert.Equal(1, report.Everything.Split("\"text\":").Count(t => t.Contains("not compressed", StringComparison.Ordinal)));
        await lab.TargetEqualsSourceAsync();
    }
}
