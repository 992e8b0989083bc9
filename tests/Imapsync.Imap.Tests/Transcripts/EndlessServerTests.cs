using System.IO.Compression;
using System.Text;
using Imapsync.Imap.Client;
using Imapsync.Tests.Support;

namespace Imapsync.Imap.Tests.Transcripts;

/// <summary>Servers that send without end or announce impossible sizes. The client must close the connection, in bounded memory.</summary>
[Collection("alone")]
public sealed class EndlessServerTests
{
    private const long Endless = long.MaxValue / 4096;
    private const int Megabyte = 1 << 20;

    // The default limits, lowered so that tests reach them sooner.
    private static readonly ImapLimits Tight = new() { MaxUntaggedBytes = Megabyte / 2, MaxFlagBytes = Megabyte / 2, MaxMessages = 5_000 };

    [Theory]
    [InlineData("", "* OK [ALERT ")]
    [InlineData("", "x")]
    [InlineData("* 1 EXISTS\r\n", "* 2 EXISTS\r\n")]
    public async Task An_endless_greeting_breaks_the_connection(string opening, string piece)
    {
        var server = new FloodStream([], Octets(opening), Octets(piece), Endless, []);
        // Write in the client's place, because after an empty greeting FloodStream sends nothing until it has received something.
        await server.WriteAsync("x"u8.ToArray(), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<ImapProtocolException>(() => ConnectAsync(server, Tight));
        Assert.InRange(server.Taken, Megabyte / 2, 2 * Megabyte);
    }

    [Theory]
    [InlineData("9223372036854775807")]
    [InlineData("9223372036854775808")]
    [InlineData("18446744073709551615")]
    [InlineData("18446744073709551616")]
    [InlineData("999999999999999999999999999999999999999999")]
    [InlineData("1048577")]
    public async Task A_literal_of_impossible_size_breaks_the_connection(string size)
    {
        await AssertEndsAsync(Flood($"* LIST () \"/\" {{{size}}}\r\n", "x", Endless), c => c.ListAsync("", "*", default), ImapLimits.Default);
        await AssertEndsAsync(Flood($"* LIST () \"/\" ~{{{size}+}}\r\n", "x", Endless), c => c.ListAsync("", "*", default), ImapLimits.Default);
    }

    [Theory]
    [InlineData("{-1}", "{-1}")]
    [InlineData("{00000000000000000000000000000003}\r\nabc", "abc")]
    [InlineData("{3}\r\nabc", "abc")]
    [InlineData("{}", "{}")]
    public async Task A_literal_with_a_sign_is_none_and_leading_zeros_count_for_nothing(string wire, string name)
    {
        await using var client = await ConnectAsync(Flood($"* LIST () \"/\" {wire}\r\nA1 OK\r\n", "x", 0), ImapLimits.Default);
        Assert.Equal(name, Assert.Single(await client.ListAsync("", "*", TestContext.Current.CancellationToken)).WireName);
    }

    [Theory]
    [InlineData("9223372036854775807")]
    [InlineData("68719476737")]
    public async Task A_body_longer_than_any_mail_breaks_the_connection(string size)
    {
        await using var feed = new BodyFeed();
        await AssertEndsAsync(
            Flood($"* 1 FETCH (UID 1 BODY[] {{{size}}}\r\n", "x", Endless),
            async c =>
            {
                await c.StartFetchAsync(UidSet.Range(new Uid(1), new Uid(1)), "", feed, default);
                await feed.NextAsync(default);
            },
            ImapLimits.Default);
    }

    [Theory]
    [InlineData("* 1 EXISTS\r\n")]
    [InlineData("* OK still here\r\n")]
    [InlineData("* OK [UIDNEXT 7] again\r\n")]
    [InlineData("* CAPABILITY IMAP4rev1\r\n")]
    [InlineData("* 7 FETCH (FLAGS (\\Seen))\r\n")]
    [InlineData("* LIST () \"/\" name\r\n")]
    [InlineData("* STATUS name (MESSAGES 1)\r\n")]
    [InlineData("* ACL name anyone lrs\r\n")]
    [InlineData("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n")]
    [InlineData("* QUOTA \"\" (STORAGE 1 2)\r\n")]
    [InlineData("* SEARCH 1 2 3\r\n")]
    public async Task A_reply_that_never_completes_ends_at_the_limit_whoever_asked(string line)
    {
        Func<ImapClient, Task>[] calls =
        [
            c => c.NoopAsync(default), c => c.ListAsync("", "*", default), c => c.StatusAsync("name", default), c => c.SelectAsync("name", true, default),
            c => c.NamespaceAsync(default), c => c.QuotaAsync("name", default), c => c.GetAclAsync("name", default), c => c.IdAsync(default),
        ];
        foreach (var call in calls)
        {
            var server = Flood("", line, Endless);
            await AssertEndsAsync(server, call, Tight);
            Assert.InRange(server.Taken, Tight.MaxUntaggedBytes, Tight.MaxUntaggedBytes + Megabyte);
        }
    }

    [Fact]
    public async Task What_is_kept_of_a_listing_of_a_million_folders_is_bounded()
    {
        var folders = string.Concat(Enumerable.Range(0, 50_000).Select(i => $"* LIST () \"/\" \"{i} {new string('x', 60)}\"\r\n"));
        var server = Flood(folders, folders, Endless);
        await AssertEndsAsync(server, c => c.ListAsync("", "*", default), Tight);
    }

    [Fact]
    public async Task More_messages_than_anybody_has_are_not_listed_though_the_server_says_so()
    {
        var server = Flood("* 4294967295 EXISTS\r\n", "* 1 FETCH (UID 7 FLAGS ())\r\n", Endless);
        await AssertEndsAsync(server, c => c.FetchMetadataAsync("1:*", false, null, [], default), Tight);
        Assert.True(server.Taken < Megabyte);
    }

    [Fact]
    public async Task Bodies_of_other_messages_for_ever_break_the_connection()
    {
        await using var feed = new BodyFeed();
        await AssertEndsAsync(
            Flood("", "* 9 FETCH (UID 99 BODY[] {3}\r\nabc)\r\n", Endless),
            async c =>
            {
                await c.StartFetchAsync(UidSet.Range(new Uid(1), new Uid(10)), "", feed, default);
                for (var bodies = 0; bodies < 5_000; bodies++)
                    await feed.NextAsync(default);
            },
            Tight);
    }

    [Fact]
    public async Task Flags_by_the_million_are_kept_up_to_the_limit()
    {
        var flags = string.Concat(Enumerable.Range(0, 100_000).Select(i => $" k{i}"));
        var rows = new List<FetchedMessage>();
        await using (var client = await ConnectAsync(Flood($"* 9 EXISTS\r\n* 1 FETCH (UID 1 FLAGS (\\Seen{flags}))\r\nA1 OK\r\n", "x", 0), ImapLimits.Default))
            await client.FetchMetadataAsync("1:*", false, null, rows, TestContext.Current.CancellationToken);
        Assert.Equal(999, Assert.Single(rows).Flags.Keywords.Length);

        var server = Flood("* 90000 EXISTS\r\n", $"* 1 FETCH (UID 1 FLAGS ({flags[..10_000]}))\r\n", Endless);
        await AssertEndsAsync(server, c => c.FetchMetadataAsync("1:*", false, null, [], default), Tight with { MaxMessages = 100_000 });
        Assert.InRange(server.Taken, Tight.MaxFlagBytes, Tight.MaxFlagBytes + Megabyte);
    }

    [Fact]
    public async Task A_capability_list_of_a_hundred_megabytes_breaks_the_connection()
    {
        var server = Flood("* CAPABILITY", " X", 50 * Megabyte);
        await AssertEndsAsync(server, c => c.NoopAsync(default), ImapLimits.Default);
        Assert.InRange(server.Taken, Megabyte, 2 * Megabyte);
    }

    [Fact]
    public async Task Huge_codes_and_texts_of_a_refusal_are_not_kept_whole()
    {
        var huge = new string('x', 900_000);
        await using var client = await ConnectAsync(Flood($"* OK [MAILBOXID ({huge})] {huge[..100_000]}\r\nA1 NO [{huge[..100_000]}] {huge[..900_000]}\r\n", "x", 0), ImapLimits.Default);
        var refused = await Assert.ThrowsAsync<ImapCommandException>(() => client.SelectAsync("x", true, TestContext.Current.CancellationToken));
        Assert.True(refused.Reply.Text.Length <= 4096 && refused.Message.Length < 10_000, $"{refused.Message.Length} characters");
    }

    [Fact]
    public async Task A_compression_bomb_is_bounded_by_what_comes_out_of_it()
    {
        var line = await BombAsync("* OK ", "x", 64 * Megabyte);
        await AssertEndsAsync(line, c => c.NoopAsync(default), ImapLimits.Default);
        var flood = await BombAsync("", "* 1 EXISTS\r\n", 8 * Megabyte);
        await AssertEndsAsync(flood, c => c.NoopAsync(default), Tight);
    }

    /// <summary>The server sends one octet a minute, on the test's clock, which must not count as progress.</summary>
    [Theory]
    [InlineData("* OK Still here\r\n")]
    [InlineData("* LIST () \"/\" name\r\n")]
    [InlineData("x")]
    public async Task An_octet_a_minute_for_ever_is_a_stall(string line)
    {
        var clock = new ManualClock();
        var started = clock.GetUtcNow();
        await using var server = new DripStream(clock, TimeSpan.FromMinutes(1), Octets("* OK [CAPABILITY IMAP4rev1] ready\r\n"), Octets(line));
        await using var client = await ImapClient.ConnectAsync(
            new ImapClientOptions("mail.example.com", 143, ImapTls.None) { Dial = _ => ValueTask.FromResult<Stream>(server), Time = clock },
            TestContext.Current.CancellationToken);
        var failure = await Assert.ThrowsAsync<ImapConnectionException>(() => client.ListAsync("", "*", TestContext.Current.CancellationToken));
        Assert.Equal(ConnectionFailure.Stall, failure.Failure);
        Assert.Contains("octets in 60 min", failure.Message, StringComparison.Ordinal);
        Assert.True(clock.GetUtcNow() - started < TimeSpan.FromHours(2), $"{clock.GetUtcNow() - started}");
    }

    private static byte[] Octets(string text) => Encoding.Latin1.GetBytes(text);

    private static FloodStream Flood(string opening, string piece, long times) =>
        new("* OK [CAPABILITY IMAP4rev1] ready\r\n"u8.ToArray(), Octets(opening), Octets(piece), times, []);

    /// <summary>A server that sends a decompression bomb: so many octets of a repeated text, compressed to about a thousandth.</summary>
    private static async Task<FloodStream> BombAsync(string opening, string piece, int octets)
    {
        using var bomb = new MemoryStream();
        await using (var deflate = new DeflateStream(bomb, CompressionLevel.SmallestSize, leaveOpen: true))
        {
            await deflate.WriteAsync(Octets(opening));
            var block = Octets(string.Concat(Enumerable.Repeat(piece, Megabyte / piece.Length)));
            for (var left = octets; left > 0; left -= Megabyte)
                await deflate.WriteAsync(block);
        }

        return new FloodStream(
            "* OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] ready\r\n"u8.ToArray(), [.. "A1 OK\r\n"u8, .. bomb.ToArray()], "x"u8.ToArray(), 0, []);
    }

    private static async Task<ImapClient> ConnectAsync(Stream server, ImapLimits limits) => await ImapClient.ConnectAsync(
        new ImapClientOptions("mail.example.com", 143, ImapTls.None) { Dial = _ => ValueTask.FromResult(server), Limits = limits },
        TestContext.Current.CancellationToken);

    private static async Task AssertEndsAsync(FloodStream server, Func<ImapClient, Task> call, ImapLimits limits)
    {
        await using var client = await ConnectAsync(server, limits);
        if (client.Capabilities.Names.Contains("COMPRESS=DEFLATE"))
            await client.CompressAsync(TestContext.Current.CancellationToken);
        var before = GC.GetTotalAllocatedBytes();
        await Assert.ThrowsAsync<ImapProtocolException>(() => call(client));
        Assert.True(client.IsBroken);
        var allocated = GC.GetTotalAllocatedBytes() - before;
        Assert.True(allocated < 48 * Megabyte, $"{allocated} octets were allocated");
    }
}
