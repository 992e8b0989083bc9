using System.Threading.Channels;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>How many connections the pool opens, and for how long it uses a connection.</summary>
public sealed class ConnectionPoolTests
{
    private readonly AppendServer server = new();
    private readonly ManualClock clock = new();
    private readonly Channel<string> notes = Channel.CreateUnbounded<string>();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Where_the_server_says_too_many_there_are_fewer_and_later_more_again()
    {
        var allowed = 2;
        var there = 0;
        server.OnCommand = c => c.StartsWith("LOGIN", StringComparison.Ordinal) && ++there > allowed
            ? "NO [ALERT] Too many simultaneous connections. (Failure)"
            : null;
        await using var store = await OpenAsync(connections: 3);
        var first = await store.OpenAsync(FolderPath.Inbox, Token);
        await using var second = await store.OpenAsync(FolderPath.Inbox, Token);
        var opening = store.OpenAsync(FolderPath.Inbox, Token);
        Assert.Contains("Too many simultaneous connections", await notes.Reader.ReadAsync(Token), StringComparison.Ordinal);
        await first.DisposeAsync();
        await using var third = await opening;
        Assert.Equal(3, server.Connections);

        // After FirstLowering, the pool tries to open one more connection, which the server refuses. The next try comes after twice that
        // time.
        there = allowed;
        opening = store.OpenAsync(FolderPath.Inbox, Token);
        clock.Advance(ConnectionPool.FirstLowering);
        await notes.Reader.ReadAsync(Token);
        Assert.Equal(4, server.Connections);
        clock.Advance(ConnectionPool.FirstLowering);
        Assert.False(opening.IsCompleted);
        there = allowed - 1;
        clock.Advance(ConnectionPool.FirstLowering);
        await using var fourth = await opening;
        Assert.Equal(5, server.Connections);
    }

    [Fact]
    public async Task A_connection_that_is_ended_because_there_are_too_many_is_not_made_again_at_once()
    {
        await using var store = await OpenAsync(connections: 2);
        await using var first = await store.OpenAsync(FolderPath.Inbox, Token);
        var second = await store.OpenForWritingAsync(FolderPath.Inbox, Token);
        server.OnAppend = (_, _) => new AppendAnswer("BYE Too many connections\nNO");
        await Assert.ThrowsAsync<MailException>(() => second.AppendAsync(AppendRun.Window(("", "a\r\n")), Token));
        await second.DisposeAsync();
        Assert.Contains("Too many connections", await notes.Reader.ReadAsync(Token), StringComparison.Ordinal);
        var opening = store.OpenAsync(FolderPath.Inbox, Token);
        Assert.False(opening.IsCompleted);
        Assert.Equal(2, server.Connections);
        clock.Advance(ConnectionPool.FirstLowering);
        await using var third = await opening;
        Assert.Equal(3, server.Connections);
    }

    [Fact]
    public async Task Idle_connections_are_not_trusted_after_another_one_broke()
    {
        await using var store = await OpenAsync(connections: 2);
        var idle = await store.OpenAsync(FolderPath.Inbox, Token);
        var broken = await store.OpenForWritingAsync(FolderPath.Inbox, Token);
        await idle.DisposeAsync();
        Assert.Equal(2, server.Connections);
        server.OnAppend = (_, _) => throw new IOException("the line is cut");
        await Assert.ThrowsAsync<MailException>(() => broken.AppendAsync(AppendRun.Window(("", "a\r\n")), Token));
        await broken.DisposeAsync();

        await using var next = await store.OpenAsync(FolderPath.Inbox, Token);
        Assert.Equal(3, server.Connections);
    }

    [Fact]
    public async Task A_quiet_connection_is_kept_alive_whether_it_is_leased_or_not()
    {
        var noops = Channel.CreateUnbounded<string>();
        server.OnCommand = c =>
        {
            if (c == "NOOP")
                noops.Writer.TryWrite(c);
            return null;
        };
        await using var store = await OpenAsync(connections: 1);
        clock.Advance(ConnectionPool.KeepAliveAfter);
        await noops.Reader.ReadAsync(Token);
        await using var folder = await store.OpenAsync(FolderPath.Inbox, Token);
        clock.Advance(ConnectionPool.KeepAliveAfter - TimeSpan.FromSeconds(31));
        Assert.Equal(0, noops.Reader.Count);
        clock.Advance(TimeSpan.FromMinutes(1));
        await noops.Reader.ReadAsync(Token);
        Assert.Equal(1, server.Connections);
    }

    [Theory]
    [InlineData("BYE Session expired, please login again.\nOK")]
    [InlineData("BYE Autologout; idle for too long\nOK")]
    // The server closes the connection without a BYE.
    [InlineData("")]
    public async Task A_session_that_ends_while_nothing_is_asked_for_is_no_failure(string ending)
    {
        await using var store = await OpenAsync(connections: 1);
        await using (var folder = await store.OpenForWritingAsync(FolderPath.Inbox, Token))
        {
            await EndAsync();
            Assert.True(Assert.Single(await folder.AppendAsync(AppendRun.Window(("", "a\r\n")), Token)).IsAccepted);
            await EndAsync();
            Assert.Single(await folder.ListAsync(new ListRequest(), Token).ToListAsync(Token));
            await EndAsync();
            Assert.Equal(1, await folder.SetFlagsAsync([new FlagChange(new Uid(1), FlagSet.Parse(["\\Seen"]), FlagSet.Empty)], Token));
        }

        await EndAsync();
        await using var again = await store.OpenAsync(FolderPath.Inbox, Token);
        Assert.Equal(5, server.Connections);
        Assert.Equal("a\r\n", Assert.Single(server.Messages).Body);
        Assert.Equal(0, notes.Reader.Count);

        async Task EndAsync()
        {
            server.OnCommand = c => c == "NOOP" ? ending : null;
            clock.Advance(ConnectionPool.KeepAliveAfter + TimeSpan.FromMinutes(1));
            await server.HungUp.WaitAsync(Token);
            server.OnCommand = _ => null;
        }
    }

    [Fact]
    public async Task A_folder_that_was_replaced_meanwhile_is_not_gone_on_with()
    {
        await using var store = await OpenAsync(connections: 1);
        await using var folder = await store.OpenAsync(FolderPath.Inbox, Token);
        server.OnCommand = c => c == "NOOP" ? "" : c.StartsWith("EXAMINE", StringComparison.Ordinal) ? "0 EXISTS\nOK [UIDVALIDITY 8] x\nOK done" : null;
        clock.Advance(ConnectionPool.KeepAliveAfter + TimeSpan.FromMinutes(1));
        await server.HungUp.WaitAsync(Token);
        var lost = await Assert.ThrowsAsync<MailException>(async () => await folder.ListAsync(new ListRequest(), Token).ToListAsync(Token));
        Assert.True(lost is { Scope: FailureScope.Folder, IsTransient: true });
    }

    private Task<ITargetStore> OpenAsync(int connections) => ImapStore.OpenAsync(
        new ImapEndpoint("imap.example.com", 143, TlsMode.None, "alice")
        {
            Connections = connections,
            // The manual clock leaps while the server's answers take real time, so the stall time-out must be long.
            Timeouts = new ServerTimeouts { Stall = TimeSpan.FromDays(1) },
        },
        new StoreContext(clock, n => notes.Writer.TryWrite(n)), server.DialAsync, Token);
}
