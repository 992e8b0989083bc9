using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// A backup is restored to an account, where its folders get other names. Later runs copy each folder into the backup folder from which it
/// was restored. No message is doubled on either side.
/// </summary>
public sealed class RestoredNamesTests : IDisposable
{
    private static readonly MaildirEndpoint Account = new("/source");

    private readonly MailboxFixture box = new();

    public RestoredNamesTests()
    {
        box.OpenSource = (endpoint, _, _) => Task.FromResult<IMessageStore>((endpoint.Equals(Account) ? box.Source : box.Target).Open());
        box.OpenTarget = (endpoint, _, _, _) => Task.FromResult((endpoint.Equals(Account) ? box.Source : box.Target).Open());
    }

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Runs_and_restores_that_take_turns_double_nothing(bool hasRunBefore)
    {
        var seed = Seeds.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var random = new Random(seed);
        string[] names = ["INBOX", "Work", "a.b", "a.b/below", "q\"uote", "INBOX/under", "Work/v1.2", "plain"];
        var chosen = names.Where(_ => random.Next(3) > 0).Append("x.y").ToList();
        var store = hasRunBefore ? box.Source : box.Target;
        foreach (var name in chosen)
            store.Folder(name).Add(MailboxFixture.Mail(name));
        if (hasRunBefore)
            await OkAsync();

        // From here on the account is on another server, which is stricter about names.
        box.Source.Folders.Clear();
        box.Source.NextValidity = 9000;
        box.Source.ListedAs = p => new FolderPath(p.Levels.Select(l => l.Replace(".", "%2E", StringComparison.Ordinal)));
        box.Source.Refuses = p => p.Levels.Any(l => l.Contains('"', StringComparison.Ordinal)) || (p.Levels.Length > 1 && p.IsAtOrBelow(FolderPath.Inbox));
        for (var turn = 0; turn < 3; turn++)
        {
            await RestoreAsync();
            Assert.True(chosen.Count == Count(box.Source), $"seed {seed}, account, turn {turn}:\n{MailboxFixture.Describe(box.Source)}");
            await OkAsync();
            Assert.True(chosen.Count == Count(box.Target), $"seed {seed}, backup, turn {turn}:\n{MailboxFixture.Describe(box.Target)}");
        }
    }

    private static int Count(MemoryStore store) => store.Folders.Values.Sum(f => f.Messages.Count);

    private async Task OkAsync()
    {
        var report = await box.RunAsync();
        Assert.True(report.Outcome == JobOutcome.Ok, string.Join('\n', report.Problems));
    }

    private async Task RestoreAsync()
    {
        var backup = box.Job;
        box.Job = new RestoreOrigin(backup, []).ToJob(null, new MessageFilter());
        await OkAsync();
        box.Job = backup;
    }
}
