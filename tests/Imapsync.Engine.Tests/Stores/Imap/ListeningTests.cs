using System.Collections.Concurrent;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>The test plays a server that reports changes by IDLE or NOTIFY. Tests with a real server are in tests/Servers.</summary>
public sealed class ListeningTests
{
    private readonly ManualClock clock = new();
    private readonly ConcurrentQueue<string> notes = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task NOTIFY_is_asked_for_once_and_folders_that_are_left_out_are_no_news()
    {
        var server = new Played();
        var (opening, _) = await OpenAsync(server, "NOTIFY IDLE", ignored: ["Junk"]);
        await server.Script.AnswerAsync("NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName))");
        await using var feed = (await opening)!;
        // Close the server before the feed. Otherwise the feed waits for the answer to LOGOUT for ever, since the clock stands still.
        await using var closing = server;
        Assert.Equal(("NOTIFY on all of the user's own folders", 1), (feed.Display, feed.Connections));
        var waiting = feed.WaitAsync(Token);
        await server.Script.SendAsync("* STATUS Junk (MESSAGES 4)\r\n", Token);
        // Make the client send NOOP on its quiet connection. Once NOOP is answered, the client has read everything sent before.
        clock.Advance(ConnectionPool.KeepAliveAfter + TimeSpan.FromMinutes(1));
        await server.Script.AnswerAsync("NOOP");
        Assert.False(waiting.IsCompleted);
        await server.Script.SendAsync("* STATUS INBOX (MESSAGES 4)\r\n", Token);
        await waiting.WaitAsync(Token);
        await server.Script.SendAsync("* OK [NOTIFICATIONOVERFLOW] too much\r\n", Token);
        Assert.True((await Assert.ThrowsAsync<MailException>(() => feed.WaitAsync(Token))).IsTransient);
    }

    [Fact]
    public async Task Where_NOTIFY_is_refused_each_folder_gets_a_connection_that_idles_as_far_as_there_are_any()
    {
        var (server, second) = (new Played(), new Played());
        var (opening, _) = await OpenAsync(server, "NOTIFY IDLE", connections: 2, more: second);
        var notify = await server.Script.ExpectAsync("NOTIFY SET (personal (MessageNew MessageExpunge FlagChange MailboxName))", Token);
        await server.Script.SendAsync($"{notify} NO [BADEVENT (FlagChange)] no index\r\n", Token);
        await server.SelectAsync("INBOX");
        await server.IdleAsync();
        await second.Script.SendAsync("* PREAUTH [CAPABILITY IMAP4rev1 IDLE] ready\r\n", Token);
        await second.SelectAsync("Sent");
        await second.IdleAsync();
        await using var feed = (await opening)!;
        await using var closing = server;
        await using var alsoClosing = second;
        Assert.Equal(("IDLE on INBOX, Sent", 2), (feed.Display, feed.Connections));
        Assert.Contains(notes, n => n.Contains("no NOTIFY", StringComparison.Ordinal));

        // The client ends and begins both IDLE commands anew before a server or router would drop the connections.
        var tags = new[] { await server.Script.ExpectAsync("IDLE", Token), await second.Script.ExpectAsync("IDLE", Token) };
        await server.Script.SendAsync("+ idling\r\n", Token);
        await second.Script.SendAsync("+ idling\r\n* 5 EXISTS\r\n", Token);
        await feed.WaitAsync(Token);
        var done = server.Script.ReadLineAsync(Token);
        while (!done.IsCompleted)
        {
            clock.Advance(TimeSpan.FromSeconds(10));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Token);
        }

        Assert.Equal("DONE", await done);
        Assert.InRange(clock.GetUtcNow() - Begin, ConnectionPool.KeepAliveAfter, TimeSpan.FromMinutes(29));
        await server.Script.SendAsync($"{tags[0]} OK\r\n", Token);
        await server.Script.ExpectAsync("IDLE", Token);
        await server.Script.SendAsync("+ idling\r\n* BYE token expired\r\n", Token);
        var lost = await Assert.ThrowsAsync<MailException>(() => feed.WaitAsync(Token));
        Assert.True(lost.IsTransient);
        Assert.Contains("token expired", lost.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("IDLE", "NO [CANNOT] not for you")]
    [InlineData("IDLE", "BAD unknown")]
    [InlineData("IDLE", "OK so what")]
    public async Task Where_neither_is_to_be_had_there_is_nothing_to_listen_to(string capabilities, string toIdle)
    {
        await using var server = new Played();
        var (opening, _) = await OpenAsync(server, capabilities, wanted: ["INBOX"]);
        if (toIdle.Length > 0)
        {
            await server.SelectAsync("INBOX");
            var tag = await server.Script.ExpectAsync("IDLE", Token);
            await server.Script.SendAsync($"{tag} {toIdle}\r\n", Token);
        }

        server.LogsOut();
        Assert.Null(await opening);
        Assert.Equal(toIdle.Length > 0 ? 1 : 0, notes.Count(n => n.Contains("no IDLE on INBOX", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("* 5 EXISTS\r\n", "")]
    [InlineData("", "* 5 EXISTS\r\n")]
    public async Task What_a_server_that_ends_each_IDLE_at_once_tells_is_heard_whenever_it_comes(string before, string after)
    {
        var server = new Played();
        var (opening, _) = await OpenAsync(server, "IDLE");
        await server.SelectAsync("INBOX");
        await server.IdleAsync();
        await using var feed = (await opening)!;
        await using var closing = server;
        var tag = await server.Script.ExpectAsync("IDLE", Token);
        await server.Script.SendAsync($"+ idling\r\n{before}{tag} OK enough\r\n{after}", Token);
        await feed.WaitAsync(Token).WaitAsync(TimeSpan.FromMinutes(1), Token);
    }

    [Fact]
    public async Task A_folder_that_is_refused_alone_does_not_keep_others_from_being_listened_to()
    {
        var (server, second) = (new Played(), new Played());
        var (opening, _) = await OpenAsync(server, "IDLE", connections: 2, wanted: ["INBOX", "Junk", "Sent"], more: second);
        await server.SelectAsync("INBOX");
        await server.IdleAsync();
        await second.Script.SendAsync("* PREAUTH [CAPABILITY IMAP4rev1 IDLE] ready\r\n", Token);
        var tag = await second.Script.ExpectAsync("EXAMINE \"Junk\"", Token);
        await second.Script.SendAsync($"{tag} NO [NOPERM] not yours\r\n", Token);
        await second.SelectAsync("Sent");
        await second.IdleAsync();
        await using var feed = (await opening)!;
        await using var closing = server;
        await using var alsoClosing = second;
        Assert.Equal(("IDLE on INBOX, Sent", 2), (feed.Display, feed.Connections));
    }

    [Fact]
    public async Task Where_no_folder_is_wanted_that_is_what_is_said()
    {
        await using var server = new Played();
        var (opening, _) = await OpenAsync(server, "IDLE", wanted: []);
        server.LogsOut();
        var none = await Assert.ThrowsAsync<MailException>(() => opening);
        Assert.False(none.IsTransient);
        Assert.Contains("no folder matches 'watch: folders'", none.Message, StringComparison.Ordinal);
    }

    private static DateTimeOffset Begin { get; } = new ManualClock().GetUtcNow();

    /// <summary>Plays the server's side of the connection up to the client's first IDLE or NOTIFY.</summary>
    private async Task<(Task<IChangeFeed?> Feed, int Dialled)> OpenAsync(Played server, string capabilities, int connections = 1, string[]? wanted = null, string[]? ignored = null, Played? more = null)
    {
        var dialled = 0;
        var endpoint = new ImapEndpoint("mail.example.org", 143, TlsMode.None, "alice");
        FolderPath[] Paths(string[] names) => [.. names.Select(n => new FolderPath(n))];
        var opening = ImapStore.ListenAsync(
            endpoint,
            new ListenRequest(connections, _ => new ListenedFolders(Paths(wanted ?? ["INBOX", "Sent"]), Paths(ignored ?? []))),
            new StoreContext(clock, notes.Enqueue),
            _ => ValueTask.FromResult(Interlocked.Increment(ref dialled) == 1 ? server.Client : more!.Client),
            Token);
        await server.Script.SendAsync($"* PREAUTH [CAPABILITY IMAP4rev1 {capabilities}] ready\r\n", Token);
        await server.Script.AnswerAsync("LIST \"\" \"*\"", "* LIST () \"/\" INBOX", "* LIST () \"/\" Sent", "* LIST () \"/\" Junk");
        await server.Script.AnswerAsync("LSUB \"\" \"*\"");
        await server.Script.AnswerAsync("LIST \"\" \"\"", "* LIST (\\Noselect) \"/\" \"\"");
        return (opening, dialled);
    }

    private sealed class Played : IAsyncDisposable
    {
        public Played() => (Script, Client) = ScriptedServer.InMemory();

        public ScriptedServer Script { get; }

        public Stream Client { get; }

        public Task SelectAsync(string folder) => Script.AnswerAsync($"EXAMINE \"{folder}\"", "* 4 EXISTS", "* OK [UIDVALIDITY 7] x", "* OK [UIDNEXT 5] x");

        /// <summary>Answers the client's trial, in which IDLE is begun and ended at once.</summary>
        public async Task IdleAsync()
        {
            var tag = await Script.ExpectAsync("IDLE", Token);
            await Script.SendAsync("+ idling\r\n", Token);
            Assert.Equal("DONE", await Script.ReadLineAsync(Token));
            await Script.SendAsync($"{tag} OK\r\n", Token);
        }

        /// <summary>Answers LOGOUT, whenever the client sends it.</summary>
        public void LogsOut() => _ = Script.AnswerAsync("LOGOUT");

        public ValueTask DisposeAsync() => Script.DisposeAsync();
    }
}
