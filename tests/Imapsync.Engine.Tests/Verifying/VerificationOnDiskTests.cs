using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Engine.Tests.Copying;

namespace Imapsync.Engine.Tests.Verifying;

/// <summary>Verification of backups in files that a disk or a person has damaged.</summary>
public sealed class VerificationOnDiskTests : IDisposable
{
    private readonly MailboxFixture box = new();
    private readonly TemporaryDirectory directory = new();

    public void Dispose()
    {
        box.Dispose();
        directory.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_Maildir_with_one_octet_flipped_a_file_gone_one_more_and_a_flag_lost(bool offline)
    {
        await BackUpAsync(new MaildirEndpoint(directory.Path), 50);
        FlipInPlace(FileWith("<m10@"), "text 10");
        File.Delete(FileWith("<m20@"));
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "new", "1700000000.extra.host"), "Subject: delivered\n\nby somebody else\n", TestContext.Current.CancellationToken);
        var flagged = FileWith("<m30@");
        File.Move(flagged, flagged.Replace(":2,S", ":2,", StringComparison.Ordinal));
        var before = Files();

        var report = await box.VerifyAsync(new VerifyOptions(Full: !offline, Offline: offline));
        VerificationTests.AssertFound(report, "Octets 10", "Missing 20", "Flags 30", "Extra 51");
        Assert.Equal((JobOutcome.Incomplete, 2L), (report.Job.Outcome, report.Counts.Differences));
        Assert.Equal(before, Files());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_mbox_with_one_octet_flipped_behind_everybodys_back(bool offline)
    {
        await BackUpAsync(new MboxEndpoint(directory.Path), 50);
        FlipInPlace(FileWith("<m10@"), "text 10");
        var report = await box.VerifyAsync(new VerifyOptions(Full: !offline, Offline: offline));
        VerificationTests.AssertFound(report, "Octets 10");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_mbox_that_lost_a_message_and_got_one(bool offline)
    {
        await BackUpAsync(new MboxEndpoint(directory.Path), 50);
        var path = FileWith("<m10@");
        var text = await File.ReadAllTextAsync(path, Encoding.Latin1, TestContext.Current.CancellationToken);
        var start = text[..text.IndexOf("<m20@", StringComparison.Ordinal)].LastIndexOf("\nFrom ", StringComparison.Ordinal) + 1;
        var end = text.IndexOf("\nFrom ", text.IndexOf("<m20@", StringComparison.Ordinal), StringComparison.Ordinal) + 1;
        text = text.Remove(start, end - start) + "From somebody@example.org Sat Jan 31 18:00:00 2026\nSubject: delivered\n\nby somebody else\n\n";
        await File.WriteAllTextAsync(path, text, Encoding.Latin1, TestContext.Current.CancellationToken);

        var report = await box.VerifyAsync(new VerifyOptions(Full: !offline, Offline: offline));
        VerificationTests.AssertFound(report, "Missing 20", "Extra 51");
    }

    private async Task BackUpAsync(Endpoint target, int count)
    {
        box.Job = box.Job with { Target = target };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        var inbox = box.Source.Folder("INBOX");
        for (var i = 1; i <= count; i++)
            inbox.Add(MailboxFixture.Mail($"m{i}", $"text {i}\r\nFrom here on"), "\\Seen", MemoryFolderState.Day(i % 28));
        var run = await box.RunAsync();
        Assert.True(run.Outcome == JobOutcome.Ok, string.Join('\n', run.Problems));
        VerificationTests.AssertFound(await box.VerifyAsync(new VerifyOptions()));
        VerificationTests.AssertFound(await box.VerifyAsync(new VerifyOptions(Full: true)));
        VerificationTests.AssertFound(await box.VerifyAsync(new VerifyOptions(Offline: true)));
    }

    private string FileWith(string text) => Directory.EnumerateFiles(directory.Path, "*", SearchOption.AllDirectories)
        .Single(f => File.ReadAllText(f, Encoding.Latin1).Contains(text, StringComparison.Ordinal));

    /// <summary>Flips a bit as a failing disk does: neither length nor time of the file changes.</summary>
    private static void FlipInPlace(string path, string near)
    {
        var time = File.GetLastWriteTimeUtc(path);
        var octets = File.ReadAllBytes(path);
        octets[octets.AsSpan().IndexOf(Encoding.Latin1.GetBytes(near))] ^= 1;
        File.WriteAllBytes(path, octets);
        File.SetLastWriteTimeUtc(path, time);
    }

    private string Files() => string.Join('\n', Directory.EnumerateFiles(directory.Path, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(f => $"{f} {new FileInfo(f).Length} {File.GetLastWriteTimeUtc(f):O}"));
}
