using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Bodies are streamed: the biggest message does not determine the memory used.</summary>
public sealed class HugeMessageTests
{
    private const long Size = 1L << 30;

    [Theory]
    [InlineData("maildir:")]
    [InlineData("mbox:")]
    public async Task A_message_of_1_GiB_needs_less_than_64_MiB_more(string kind)
    {
        await using var small = await LabAsync(1000, kind);
        var baseline = await small.SucceedAsync();
        await using var lab = await LabAsync(Size, kind);

        var huge = await lab.SucceedAsync();

        var growth = (huge.PeakResidentKiB - baseline.PeakResidentKiB) / 1024;
        Assert.True(growth < 64, $"{growth} MiB more than the {baseline.PeakResidentKiB / 1024} MiB of a small message");
        Assert.Equal(1, huge.Total("copied"));
        BackupLab.Same(
            await lab.SourceAsync(),
            kind == "mbox:" ? await StoreReader.ReadMboxAsync(lab.TargetDirectory) : MaildirReader.Read(lab.TargetDirectory));
    }

    [Fact]
    public async Task From_account_to_account_a_message_of_1_GiB_needs_less_than_64_MiB_more()
    {
        await using var small = await MigrationLab.WithDovecotAsync(await LabAsync(1000, "maildir:"));
        var baseline = await small.SucceedAsync();
        await using var lab = await MigrationLab.WithDovecotAsync(await LabAsync(Size, "maildir:"));

        var huge = await lab.SucceedAsync();

        var growth = (huge.PeakResidentKiB - baseline.PeakResidentKiB) / 1024;
        Assert.True(growth < 64, $"{growth} MiB more than the {baseline.PeakResidentKiB / 1024} MiB of a small message");
        Assert.Equal(1, huge.Total("copied"));
        await lab.TargetEqualsSourceAsync();
    }

    /// <summary>
    /// When messages are compared by their headers, 1 MiB of a header suffices. The rest is read past, so that neither the connection ends nor the
    /// folder's other messages wait for good.
    /// </summary>
    [Fact]
    public async Task A_header_of_12_MB_does_not_stop_the_comparison_of_its_folder()
    {
        await using var lab = await BackupLab.StartAsync(mailbox =>
        {
            mailbox.Add("INBOX", MailGenerator.Message(1), MailGenerator.Date(1), "S");
            var field = string.Join("\r\n ", Enumerable.Repeat(new string('x', 900), 13_000));
            mailbox.Add("INBOX", Encoding.ASCII.GetBytes($"Message-ID: <long@example.org>\r\nX-Long: {field}\r\n\r\ntext\r\n"), MailGenerator.Date(2), "S");
            mailbox.Add("INBOX", MailGenerator.Message(3), MailGenerator.Date(3), "S");
        });
        await lab.SucceedAsync();
        Directory.Delete(lab.StateDirectory, recursive: true);

        var again = await lab.SucceedAsync();
        Assert.Equal((0, 3), (again.Total("copied"), again.Total("already_present")));
        await lab.TargetEqualsSourceAsync();
    }

    private static async Task<BackupLab> LabAsync(long size, string kind)
    {
        var lab = await BackupLab.StartAsync(mailbox => Grow(mailbox.Add("INBOX", MailGenerator.Message(1), MailGenerator.Date(1), "S"), size));
        lab.Target = kind + lab.TargetDirectory;
        return lab;
    }

    /// <summary>Appends lines of text; each block differs from the one before.</summary>
    private static void Grow(string path, long size)
    {
        var date = File.GetLastWriteTimeUtc(path);
        using (var file = new FileStream(path, FileMode.Append))
        {
            var block = new byte[1 << 20];
            for (var number = 0; file.Length < size; number++)
            {
                for (var i = 0; i < block.Length; i++)
                    block[i] = i % 80 == 79 ? (byte)'\n' : (byte)('a' + ((i + number) % 26));
                file.Write(block.AsSpan(0, (int)Math.Min(block.Length, size - file.Length)));
            }
        }

        File.SetLastWriteTimeUtc(path, date);
        var named = Regex.Replace(path, "S=[0-9]+", "S=" + new FileInfo(path).Length, RegexOptions.None, TimeSpan.FromSeconds(1));
        File.Move(path, named);
    }
}
