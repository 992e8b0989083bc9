using System.IO.Pipelines;
using System.Text;
using Imapsync.Imap.Client;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Tests.Connection;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Commands;

public sealed class IdleTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(int.MaxValue)]
    [InlineData(1)]
    public async Task What_changes_meanwhile_is_told_at_once_and_DONE_ends_it(int segment)
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 IDLE", segment: segment);
        using var news = new NewsList();
        using var done = new CancellationTokenSource();
        var idle = session.Client.IdleAsync(news.Add, done.Token, Token);
        var tag = await session.Server.ExpectAsync("IDLE", Token);
        await session.Server.SendAsync("+ idling\r\n* 4 EXISTS\r\n* 1 RECENT\r\n* OK Still here\r\n* 2 EXPUNGE\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* VANISHED 7\r\n", Token);
        await news.HasAsync(4);
        Assert.All(news.All, n => Assert.Equal(new FolderNews(FolderNewsKind.Messages), n));
        Assert.Equal((3, 1), (session.Client.Exists, session.Client.Expunged));

        // Another command, such as NOOP, is sent only after the end of IDLE.
        var noop = session.Client.NoopAsync(Token);
        await done.CancelAsync();
        Assert.Equal("DONE", await session.Server.ReadLineAsync(Token));
        await session.Server.SendAsync($"{tag} OK Idle completed.\r\n", Token);
        Assert.True(await idle);
        await session.Server.AnswerAsync("NOOP");
        await noop;
        Assert.Equal(4, news.All.Count);
    }

    [Theory]
    [InlineData("NO [CANNOT] not here")]
    [InlineData("BAD what?")]
    public async Task A_refused_one_owes_no_DONE_and_the_connection_goes_on(string refusal)
    {
        await using var session = await Session.OpenAsync();
        using var done = new CancellationTokenSource();
        var idle = session.Client.IdleAsync(_ => { }, done.Token, Token);
        var tag = await session.Server.ExpectAsync("IDLE", Token);
        await session.Server.SendAsync($"{tag} {refusal}\r\n", Token);
        await Assert.ThrowsAsync<ImapCommandException>(() => idle);
        await done.CancelAsync();
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await noop;
    }

    [Fact]
    public async Task A_server_that_says_OK_and_does_not_let_it_begin_is_told_from_one_that_does()
    {
        await using var session = await Session.OpenAsync();
        var idle = session.Client.IdleAsync(_ => { }, CancellationToken.None, Token);
        await session.Server.AnswerAsync("IDLE");
        Assert.False(await idle);
    }

    [Fact]
    public async Task One_that_the_server_ends_by_itself_is_over()
    {
        await using var session = await Session.OpenAsync();
        var idle = session.Client.IdleAsync(_ => { }, CancellationToken.None, Token);
        var tag = await session.Server.ExpectAsync("IDLE", Token);
        await session.Server.SendAsync($"+ \r\n", Token);
        await session.Server.SendAsync($"{tag} OK enough\r\n", Token);
        Assert.True(await idle);
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await noop;
    }

    [Fact]
    public async Task What_is_told_after_its_end_is_told_as_well()
    {
        await using var session = await Session.OpenAsync();
        using var news = new NewsList();
        var idle = session.Client.IdleAsync(news.Add, CancellationToken.None, Token);
        var tag = await session.Server.ExpectAsync("IDLE", Token);
        await session.Server.SendAsync($"+ \r\n{tag} OK enough\r\n* 5 EXISTS\r\n", Token);
        Assert.True(await idle);
        await news.HasAsync(1);
        await session.Server.SendAsync("* 4 EXPUNGE\r\n", Token);
        await news.HasAsync(2);
    }

    /// <summary>
    /// The client processes the tagged response in two steps. If the task that writes DONE runs between the steps, it must not write DONE.
    /// </summary>
    [Fact]
    public async Task No_DONE_is_owed_from_the_moment_that_the_server_answers()
    {
        var pipe = new Pipe();
        using var watchdog = new ProgressWatchdog(new ManualClock(), TimeSpan.FromMinutes(1), _ => { });
        var writer = new CommandWriter(() => pipe.Writer, () => ImapCapabilities.None, watchdog, trace: null);
        var command = new IdleCommand { Tag = "A1" };
        writer.Begin(command);
        var writing = command.EncodeAsync(writer).AsTask();
        while (!command.AwaitsContinuation)
            await Task.Yield();
        command.Continue([]);
        command.OnTagged(new StatusReply(StatusKind.Ok, null, "enough"));
        // End IDLE only now, after the server's tagged response.
        command.Finish();
        await writing.WaitAsync(Token);
        Assert.True(writer.IsStopped);
        await pipe.Writer.CompleteAsync();
        var written = await pipe.Reader.ReadAsync(Token);
        Assert.Equal("A1 IDLE\r\n", Encoding.ASCII.GetString(written.Buffer));
    }

    [Fact]
    public async Task An_end_that_is_asked_for_before_it_began_ends_it_as_soon_as_it_has()
    {
        await using var session = await Session.OpenAsync();
        using var done = new CancellationTokenSource();
        await done.CancelAsync();
        var idle = session.Client.IdleAsync(_ => { }, done.Token, Token);
        var tag = await session.Server.ExpectAsync("IDLE", Token);
        await session.Server.SendAsync("+ idling\r\n", Token);
        Assert.Equal("DONE", await session.Server.ReadLineAsync(Token));
        await session.Server.SendAsync($"{tag} OK\r\n", Token);
        Assert.True(await idle);
    }

    [Fact]
    public async Task Silence_is_no_stall_until_DONE_goes_unanswered()
    {
        await using var session = await Session.OpenAsync();
        using var news = new NewsList();
        using var done = new CancellationTokenSource();
        var idle = session.Client.IdleAsync(news.Add, done.Token, Token);
        await session.Server.ExpectAsync("IDLE", Token);
        await session.Server.SendAsync("+ idling\r\n* 1 EXISTS\r\n", Token);
        await news.HasAsync(1);
        while (!session.Client.WaitsForSource)
            await Task.Yield();
        session.Clock.Advance(TimeSpan.FromHours(5));
        Assert.False(idle.IsCompleted);
        Assert.Equal(TimeSpan.Zero, session.Client.QuietTime);
        await done.CancelAsync();
        Assert.Equal("DONE", await session.Server.ReadLineAsync(Token));
        // Only after DONE does the client take silence for a stall. A test can't see that moment, so it advances the clock until IDLE ends.
        while (!idle.IsCompleted)
        {
            session.Clock.Advance(TimeSpan.FromMinutes(1));
            await Task.Yield();
        }

        Assert.Equal(ConnectionFailure.Stall, (await Assert.ThrowsAsync<ImapConnectionException>(() => idle)).Failure);
    }

    [Theory]
    [InlineData("* BYE token expired\r\n", ConnectionFailure.Bye)]
    [InlineData("* 2 EXI", ConnectionFailure.Network)]
    [InlineData("", ConnectionFailure.Network)]
    public async Task The_end_of_the_line_ends_it(string last, ConnectionFailure failure)
    {
        await using var session = await Session.OpenAsync();
        var idle = session.Client.IdleAsync(_ => { }, CancellationToken.None, Token);
        await session.Server.ExpectAsync("IDLE", Token);
        await session.Server.SendAsync("+ idling\r\n" + last, Token);
        await session.Server.DisposeAsync();
        Assert.Equal(failure, (await Assert.ThrowsAsync<ImapConnectionException>(() => idle)).Failure);
        await session.Client.Ended.WaitAsync(Token);
    }

    [Fact]
    public async Task Whoever_closes_the_client_meanwhile_does_not_wait_for_the_server()
    {
        var session = await Session.OpenAsync();
        var idle = session.Client.IdleAsync(_ => { }, CancellationToken.None, Token);
        await session.Server.ExpectAsync("IDLE", Token);
        await session.Server.SendAsync("+ idling\r\n", Token);
        await session.DisposeAsync();
        Assert.Equal(ConnectionFailure.Closed, (await Assert.ThrowsAsync<ImapConnectionException>(() => idle)).Failure);
    }

    [Fact]
    public async Task A_server_that_talks_without_an_end_meanwhile_is_stopped()
    {
        await using var session = await Session.OpenAsync(limits: new ImapLimits { MaxUntaggedBytes = 1000 });
        var idle = session.Client.IdleAsync(_ => { }, CancellationToken.None, Token);
        await session.Server.ExpectAsync("IDLE", Token);
        await session.Server.SendAsync("+ idling\r\n" + string.Concat(Enumerable.Repeat("* 1 EXISTS\r\n", 100)), Token);
        await Assert.ThrowsAsync<ImapProtocolException>(() => idle);
    }

    [Fact]
    public async Task NOTIFY_tells_of_folders_by_name_whenever_it_likes()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 NOTIFY");
        using var news = new NewsList();
        var asking = session.Client.NotifyAsync(news.Add, Token);
        var tag = await session.Server.ExpectAsync("NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName))", Token);
        await session.Server.SendAsync("* STATUS \"Early\" (MESSAGES 1)\r\n" + $"{tag} OK\r\n", Token);
        await asking;
        await session.Server.SendAsync("* STATUS {5}\r\nLists (UIDNEXT 4)\r\n* LIST () \"/\" New\r\n* OK [NOTIFICATIONOVERFLOW] too much\r\n", Token);
        await news.HasAsync(4);
        Assert.Equal(
            [new(FolderNewsKind.Messages, "Early"), new(FolderNewsKind.Messages, "Lists"), new(FolderNewsKind.Folders), new(FolderNewsKind.Overflow)],
            news.All);

        // A STATUS response that answers the client's own command is not reported as a change.
        var status = session.Client.StatusAsync("INBOX", Token);
        await session.Server.AnswerAsync("STATUS \"INBOX\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)", "* STATUS INBOX (MESSAGES 3)");
        Assert.Equal(3, (await status)!.Messages);
        Assert.Equal(4, news.All.Count);
    }

    [Fact]
    public async Task A_refused_NOTIFY_tells_nothing()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 NOTIFY");
        using var news = new NewsList();
        var asking = session.Client.NotifyAsync(news.Add, Token);
        var tag = await session.Server.ExpectAsync("NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName))", Token);
        await session.Server.SendAsync($"{tag} NO [BADEVENT (FlagChange)] no\r\n", Token);
        await Assert.ThrowsAsync<ImapCommandException>(() => asking);
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP", "* STATUS INBOX (MESSAGES 3)");
        await noop;
        Assert.Empty(news.All);
    }

    /// <summary>Collects the changes that the server reported.</summary>
    private sealed class NewsList : IDisposable
    {
        private readonly Lock gate = new();
        private readonly List<FolderNews> all = [];
        private readonly SemaphoreSlim came = new(0);

        public IReadOnlyList<FolderNews> All
        {
            get
            {
                lock (gate)
                    return [.. all];
            }
        }

        public void Add(FolderNews news)
        {
            lock (gate)
                all.Add(news);
            came.Release();
        }

        public async Task HasAsync(int count)
        {
            while (All.Count < count)
                await came.WaitAsync(Token);
        }

        public void Dispose() => came.Dispose();
    }
}
