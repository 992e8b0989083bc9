using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Tests.Copying;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>
/// The target reports wrong sizes or a wrong number of messages. Its messages are still recognised and not copied a second time.
/// </summary>
public sealed class MisstatedNumbersTests : IDisposable
{
    private const int Count = 6;

    private readonly AppendServer server = new();
    private readonly MailboxFixture box = new();

    public MisstatedNumbersTests()
    {
        for (var i = 1; i <= Count; i++)
        {
            // Every second message has no Message-ID.
            var text = i % 2 == 0 ? MailboxFixture.Mail($"m{i}") : $"From: a@example.org\r\nSubject: m{i}\r\n\r\ntext {i}\r\n";
            server.Messages.Add(new AppendedMessage((uint)i, "", text));
            box.Source.Folder("INBOX").Add(text);
        }

        box.Job = box.Job with { Target = AppendRun.Endpoint };
        box.OpenTarget = (_, _, context, c) => ImapStore.OpenAsync(AppendRun.Endpoint, context with { Time = TimeProvider.System }, server.DialAsync, c);
    }

    public void Dispose() => box.Dispose();

    [Theory]
    [InlineData("RFC822.SIZE", 60)]
    [InlineData("RFC822.SIZE", -30)]
    [InlineData("RFC822.SIZE", 0)]
    [InlineData("EXISTS", 0)]
    public async Task What_lies_there_is_recognised(string item, int wrongBy)
    {
        server.OnCommand = command => item switch
        {
            "EXISTS" when command.StartsWith("SELECT", StringComparison.Ordinal) || command.StartsWith("EXAMINE", StringComparison.Ordinal) =>
                $"0 EXISTS\nOK [UIDVALIDITY 7] x\nOK [UIDNEXT {server.Messages.Count + 1}] x\nOK [READ-WRITE] done",
            "RFC822.SIZE" when command.Contains("RFC822.SIZE", StringComparison.Ordinal) => string.Concat(server.Messages.Select(m =>
                $"{m.Uid} FETCH (UID {m.Uid} FLAGS () INTERNALDATE \"01-Feb-2025 10:00:00 +0000\" RFC822.SIZE {(wrongBy == 0 ? 0 : m.Body.Length + wrongBy)})\n")) + "OK",
            _ => Headers(command),
        };
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Ok, 0, (long)Count), (report.Outcome, (int)report.Totals.Copied, report.Totals.AlreadyPresent));
        Assert.Equal(Count, server.Messages.Count);
    }

    [Fact]
    public async Task A_server_that_refuses_to_list_an_emptied_folder_is_believed()
    {
        server.Messages.Clear();
        server.OnCommand = command => command.StartsWith("EXAMINE", StringComparison.Ordinal)
            ? "0 EXISTS\nOK [UIDVALIDITY 7] x\nOK [UIDNEXT 90] x\nOK [READ-WRITE] done"
            : command.StartsWith("UID FETCH 1:*", StringComparison.Ordinal) ? "BAD Invalid messageset" : null;
        await using var run = await AppendRun.OpenAsync(server);
        await using var folder = await run.Store.OpenAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
        Assert.Empty(await folder.ListAsync(new ListRequest(WithDateAndSize: true), TestContext.Current.CancellationToken).ToListAsync(TestContext.Current.CancellationToken));
        Assert.Contains(server.Commands, c => c.StartsWith("UID FETCH 1:*", StringComparison.Ordinal));
    }

    /// <summary>Returns the reply to a FETCH of headers alone; null for any other command.</summary>
    private string? Headers(string command) => !command.Contains("BODY.PEEK[HEADER]", StringComparison.Ordinal)
        ? null
        : string.Concat(server.Messages.Select(m => (m.Uid, Text: m.Body[..(m.Body.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)]))
            .Select(m => $"{m.Uid} FETCH (UID {m.Uid} BODY[HEADER] {{{m.Text.Length}}}\v{m.Text.Replace("\r\n", "\v", StringComparison.Ordinal)})\n")) + "OK";
}
