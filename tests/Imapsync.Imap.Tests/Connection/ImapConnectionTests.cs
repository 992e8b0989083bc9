using System.IO.Pipelines;
using System.Text;
using Imapsync.Imap.Client;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Connection;

public sealed class ImapConnectionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refused_command_leaves_the_connection_usable()
    {
        await using var session = await Session.OpenAsync();
        var select = session.Client.SelectAsync("Sent", true, Token);
        var tag = await session.Server.ExpectAsync("EXAMINE \"Sent\"", Token);
        await session.Server.SendAsync($"{tag} NO [NONEXISTENT] no such mailbox\r\n", Token);
        var refused = await Assert.ThrowsAsync<ImapCommandException>(() => select);
        Assert.Equal(ResponseCodeKind.NonExistent, refused.Reply.Code!.Kind);
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await noop;
    }

    [Fact]
    public async Task A_name_refused_before_the_continuation_owes_not_one_octet()
    {
        await using var session = await Session.OpenAsync();
        var create = session.Client.CreateAsync("R\u00e9sum\u00e9", null, Token);
        var tag = await session.Server.ExpectAsync("CREATE {6}", Token);
        await session.Server.SendAsync($"{tag} NO no such names here\r\n", Token);
        await Assert.ThrowsAsync<ImapCommandException>(() => create);
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await noop;
    }

    [Fact]
    public async Task A_synchronising_literal_follows_the_continuation()
    {
        await using var session = await Session.OpenAsync();
        var create = session.Client.CreateAsync("R\u00e9sum\u00e9", null, Token);
        var tag = await session.Server.ExpectAsync("CREATE {6}", Token);
        await session.Server.SendAsync("+ go\r\n", Token);
        Assert.Equal("R\u00e9sum\u00e9", await session.Server.ReadOctetsAsync(6, Token));
        Assert.Equal("", await session.Server.ReadLineAsync(Token));
        await session.Server.SendAsync($"{tag} OK\r\n", Token);
        await create;
    }

    [Fact]
    public async Task BAD_after_an_unasked_literal_ends_the_connection()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 LITERAL+");
        var create = session.Client.CreateAsync("R\u00e9sum\u00e9", null, Token);
        var tag = await session.Server.ExpectAsync("CREATE {6+}", Token);
        await session.Server.SendAsync($"{tag} BAD what?\r\n", Token);
        await Assert.ThrowsAsync<ImapCommandException>(() => create);
        await Assert.ThrowsAsync<ImapProtocolException>(() => session.Client.NoopAsync(Token));
        Assert.True(session.Client.IsBroken);
    }

    [Fact]
    public async Task Everything_in_flight_and_queued_fails_with_the_first_reason()
    {
        await using var session = await Session.OpenAsync();
        var select = session.Client.SelectAsync("Sent", true, Token);
        var listing = session.Client.FetchMetadataAsync("1:*", false, null, [], Token);
        await session.Server.ExpectAsync("EXAMINE \"Sent\"", Token);
        await session.Server.SendAsync("* BYE Session expired\r\n", Token);
        foreach (var task in (Task[])[select, listing])
        {
            var lost = await Assert.ThrowsAsync<ImapConnectionException>(() => task);
            Assert.Equal(ConnectionFailure.Bye, lost.Failure);
            Assert.Equal("Session expired", lost.Bye!.Text);
        }
    }

    [Fact]
    public async Task What_needs_the_selection_waits_for_it()
    {
        await using var session = await Session.OpenAsync();
        var select = session.Client.SelectAsync("Sent", true, Token);
        var listing = session.Client.FetchMetadataAsync("1:*", false, null, [], Token);
        var noop = session.Client.NoopAsync(Token);
        var tag = await session.Server.ExpectAsync("EXAMINE \"Sent\"", Token);
        await session.Server.SendAsync($"* 0 EXISTS\r\n{tag} OK\r\n", Token);
        await session.Server.AnswerAsync("UID FETCH 1:* (UID FLAGS)");
        await session.Server.AnswerAsync("NOOP");
        await Task.WhenAll(select, listing, noop);
    }

    [Fact]
    public async Task Statuses_asked_for_at_once_are_told_apart_by_name()
    {
        await using var session = await Session.OpenAsync();
        Task<FolderCounters?>[] asked = [.. new[] { "One", "Two words", "Three" }.Select(n => session.Client.StatusAsync(n, Token))];
        var tags = new List<string>();
        foreach (var name in (string[])["One", "Two words", "Three"])
            tags.Add(await session.Server.ExpectAsync($"STATUS \"{name}\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN)", Token));

        // The server answers in another order and spells two names differently. The client assigns an unknown name to the oldest pending
        // STATUS.
        await session.Server.SendAsync($"* STATUS \"Two words\" (MESSAGES 2)\r\n{tags[1]} OK\r\n", Token);
        await session.Server.SendAsync($"* STATUS Other/One (MESSAGES 1)\r\n{tags[0]} OK\r\n", Token);
        await session.Server.SendAsync($"* STATUS three (MESSAGES 3)\r\n{tags[2]} OK\r\n", Token);

        Assert.Equal([1, 2, 3], (await Task.WhenAll(asked)).Select(c => c!.Messages));
    }

    [Fact]
    public async Task Silence_is_a_stall_only_while_something_is_asked_for()
    {
        await using var session = await Session.OpenAsync();
        session.Clock.Advance(TimeSpan.FromHours(1));
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await noop;
        session.Clock.Advance(TimeSpan.FromHours(1));
        noop = session.Client.NoopAsync(Token);
        await session.Server.ExpectAsync("NOOP", Token);
        session.Clock.Advance(TimeSpan.FromSeconds(100));
        Assert.False(noop.IsCompleted);
        session.Clock.Advance(TimeSpan.FromMinutes(3));
        Assert.Equal(ConnectionFailure.Stall, (await Assert.ThrowsAsync<ImapConnectionException>(() => noop)).Failure);
    }

    [Fact]
    public async Task A_consumer_that_takes_its_time_is_no_stall()
    {
        await using var session = await Session.OpenAsync();
        await using var feed = new BodyFeed();
        await session.Client.StartFetchAsync(UidSet.Range(new Uid(7), new Uid(7)), "", feed, Token);
        var tag = await session.Server.ExpectAsync("UID FETCH 7 (UID BODY.PEEK[])", Token);
        await session.Server.SendAsync($"* 1 FETCH (UID 7 BODY[] {{5}}\r\nhello)\r\n{tag} OK\r\n", Token);
        var body = (FetchedBody)await feed.NextAsync(Token);
        session.Clock.Advance(TimeSpan.FromHours(1));
        Assert.Equal("hello", await ReadAsync(body.Body));
        Assert.IsType<RangeDone>(await feed.NextAsync(Token));
    }

    [Fact]
    public async Task Nothing_is_read_ahead_of_a_consumer_that_does_not_read()
    {
        await using var session = await Session.OpenAsync(buffered: 64 << 10);
        await using var feed = new BodyFeed();
        await session.Client.StartFetchAsync(UidSet.Range(new Uid(7), new Uid(7)), "", feed, Token);
        var tag = await session.Server.ExpectAsync("UID FETCH 7 (UID BODY.PEEK[])", Token);
        const int length = 8 << 20;
        var sending = session.Server.SendAsync($"* 1 FETCH (UID 7 BODY[] {{{length}}}\r\n" + new string('x', length) + $")\r\n{tag} OK\r\n", Token);
        var body = (FetchedBody)await feed.NextAsync(Token);
        Assert.False(sending.IsCompleted);
        Assert.Equal(length, (await ReadAsync(body.Body)).Length);
        Assert.IsType<RangeDone>(await feed.NextAsync(Token));
        await sending;
    }

    [Theory]
    [InlineData(1000, false)]
    [InlineData(5000, true)]
    public async Task What_a_consumer_leaves_is_read_past_up_to_a_limit(int length, bool breaks)
    {
        await using var session = await Session.OpenAsync(limits: new ImapLimits { MaxDrainBytes = 2000 });
        var feed = new BodyFeed();
        await session.Client.StartFetchAsync(UidSet.Range(new Uid(7), new Uid(7)), "", feed, Token);
        var tag = await session.Server.ExpectAsync("UID FETCH 7 (UID BODY.PEEK[])", Token);
        await session.Server.SendAsync($"* 1 FETCH (UID 7 BODY[] {{{length}}}\r\n{new string('x', length)})\r\n{tag} OK\r\n", Token);
        await feed.NextAsync(Token);
        await feed.DisposeAsync();
        var noop = session.Client.NoopAsync(Token);
        if (breaks)
        {
            await Assert.ThrowsAsync<ImapConnectionException>(() => noop);
        }
        else
        {
            await session.Server.AnswerAsync("NOOP");
            await noop;
        }
    }

    [Fact]
    public async Task A_body_ahead_of_its_UID_is_held_until_the_UID_comes()
    {
        await using var session = await Session.OpenAsync(segment: 3);
        await using var feed = new BodyFeed();
        await session.Client.StartFetchAsync(UidSet.Range(new Uid(7), new Uid(9)), "", feed, Token);
        var tag = await session.Server.ExpectAsync("UID FETCH 7:9 (UID BODY.PEEK[])", Token);
        await session.Server.SendAsync(
            $"* 1 FETCH (BODY[] {{5}}\r\nhello UID 7)\r\n* 2 FETCH (BODY[] NIL UID 8)\r\n* 3 FETCH (UID 9 BODY[] \"q\\\"x\")\r\n{tag} OK\r\n", Token);
        var seen = new List<(Uid, long, string)>();
        while (await feed.NextAsync(Token) is FetchedBody body)
            seen.Add((body.Uid, body.Length, await ReadAsync(body.Body)));
        Assert.Equal([(new Uid(7), 5, "hello"), (new Uid(8), -1, ""), (new Uid(9), 3, "q\"x")], seen);
    }

    [Fact]
    public async Task A_connection_lost_in_a_message_fails_the_message()
    {
        await using var session = await Session.OpenAsync();
        await using var feed = new BodyFeed();
        await session.Client.StartFetchAsync(UidSet.Range(new Uid(7), new Uid(7)), "", feed, Token);
        await session.Server.ExpectAsync("UID FETCH 7 (UID BODY.PEEK[])", Token);
        await session.Server.SendAsync("* 1 FETCH (UID 7 BODY[] {500}\r\nhello", Token);
        var body = (FetchedBody)await feed.NextAsync(Token);
        await session.Server.DisposeAsync();
        await Assert.ThrowsAsync<ImapConnectionException>(() => ReadAsync(body.Body));
        await Assert.ThrowsAsync<ImapConnectionException>(() => feed.NextAsync(Token).AsTask());
    }

    [Fact]
    public async Task A_body_is_nobodys_once_the_next_one_is_asked_for()
    {
        await using var session = await Session.OpenAsync();
        await using var feed = new BodyFeed();
        await session.Client.StartFetchAsync(UidSet.Range(new Uid(7), new Uid(8)), "", feed, Token);
        var tag = await session.Server.ExpectAsync("UID FETCH 7:8 (UID BODY.PEEK[])", Token);
        await session.Server.SendAsync($"* 1 FETCH (UID 7 BODY[] {{5}}\r\nhello)\r\n* 2 FETCH (UID 8 BODY[] {{3}}\r\nyou)\r\n{tag} OK\r\n", Token);
        var first = (FetchedBody)await feed.NextAsync(Token);
        var looked = await first.Body.ReadAsync(Token);
        Assert.Equal(5, looked.Buffer.Length);
        var second = (FetchedBody)await feed.NextAsync(Token);
        await Assert.ThrowsAsync<InvalidOperationException>(() => first.Body.ReadAsync(Token).AsTask());
        Assert.Equal("you", await ReadAsync(second.Body));
    }

    [Fact]
    public async Task Junk_is_skipped_and_counted_and_has_a_limit()
    {
        await using var session = await Session.OpenAsync(limits: new ImapLimits { MaxUnknownLines = 10 });
        var noop = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP", "", "junk", "* ", "+ stray", "A99 OK not mine", "* 0 FETCH", "* 5 ()");
        await noop;
        noop = session.Client.NoopAsync(Token);
        await session.Server.SendAsync(string.Concat(Enumerable.Repeat("junk\r\n", 20)), Token);
        await Assert.ThrowsAsync<ImapProtocolException>(() => noop);
    }

    [Fact]
    public async Task A_cancelled_command_is_forgotten_and_its_reply_ignored()
    {
        await using var session = await Session.OpenAsync();
        using var cancel = new CancellationTokenSource();
        var noop = session.Client.NoopAsync(cancel.Token);
        var tag = await session.Server.ExpectAsync("NOOP", Token);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => noop);
        await session.Server.SendAsync($"{tag} NO too late\r\n", Token);
        var next = session.Client.NoopAsync(Token);
        await session.Server.AnswerAsync("NOOP");
        await next;
    }

    [Fact]
    public async Task A_greeting_that_says_BYE_is_told_as_it_is()
    {
        var (server, stream) = ScriptedServer.InMemory();
        await using var _ = server;
        await server.SendAsync("* BYE too many connections\r\n", Token);
        var lost = await Assert.ThrowsAsync<ImapConnectionException>(() => ImapClient.ConnectAsync(Session.Options(stream), Token));
        Assert.Equal(RefusalKind.TooManyConnections, RefusalClassifier.Classify(lost.Bye!).Kind);
    }

    private static async Task<string> ReadAsync(PipeReader body)
    {
        var text = new StringBuilder();
        while (true)
        {
            var read = await body.ReadAsync(Token);
            text.Append(Encoding.Latin1.GetString(read.Buffer));
            body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return text.ToString();
        }
    }
}
