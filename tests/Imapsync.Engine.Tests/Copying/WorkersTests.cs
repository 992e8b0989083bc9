using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>A few workers divide a job's folders among themselves.</summary>
public sealed class WorkersTests : IDisposable
{
    private readonly MailboxFixture box = new();

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData(1, false)]
    [InlineData(500, true)]
    public async Task Where_there_is_little_to_copy_one_folder_follows_the_other(int messages, bool atOnce)
    {
        // A second worker waits a moment before it starts if there is little to copy. With this clock, that moment never ends.
        box.Time = new ManualClock();
        box.Source.MaxConcurrentFolders = box.Target.MaxConcurrentFolders = 2;
        for (var i = 0; i < messages; i++)
            box.Source.Folder("A").Add(MailboxFixture.Mail($"a{i}"));
        box.Source.Folder("B").Add(MailboxFixture.Mail("b"));
        using var second = new ManualResetEventSlim();
        var (opened, appended, overlapped) = (0, 0, false);
        box.Source.OnStep = s =>
        {
            if (!s.StartsWith("open", StringComparison.Ordinal))
                return;
            overlapped |= Interlocked.Increment(ref opened) == 2 && Volatile.Read(ref appended) == 0;
            if (Volatile.Read(ref opened) == 2)
                second.Set();
            else if (atOnce)
                second.Wait(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
        };
        box.Target.OnStep = s => _ = s == "append!" ? Interlocked.Increment(ref appended) : 0;

        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal(atOnce, overlapped);
    }

    [Fact]
    public async Task A_job_ended_between_two_folders_does_not_pass_for_done()
    {
        using var abort = new CancellationTokenSource();
        box.Abort = abort.Token;
        box.Source.Folder("A").Add(MailboxFixture.Mail("a"));
        box.Source.Folder("B").Add(MailboxFixture.Mail("b"));
        box.Source.OnStep = s =>
        {
            if (s == "open A")
                throw new MailException(FailureScope.Folder, isTransient: false, "no");
        };
        box.OnEvent = e =>
        {
            // ProblemFound is the last event that a folder reports, so the abort comes between two folders.
            if (e is ProblemFound)
                abort.Cancel();
        };

        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Cancelled, StopReason.Cancelled), (report.Outcome, report.Stop));
        Assert.Equal(["list", "open A"], box.Source.Steps);
    }
}
