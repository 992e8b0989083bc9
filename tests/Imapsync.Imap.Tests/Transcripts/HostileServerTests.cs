using System.Text;
using Imapsync.Imap.Client;

namespace Imapsync.Imap.Tests.Transcripts;

/// <summary>Tests that measure memory, which therefore must not run in parallel with others.</summary>
[CollectionDefinition("alone", DisableParallelization = true)]
public sealed class AloneCollection;

/// <summary>
/// Servers that try to fill the client's memory or to keep it busy for ever. They send more than a transcript file could hold.
/// </summary>
[Collection("alone")]
public sealed class HostileServerTests
{
    private const long Endless = long.MaxValue / 4096;
    private const long Megabyte = 1 << 20;

    [Fact]
    public async Task An_endless_line_breaks_the_connection_at_the_limit()
    {
        var server = Flood("* OK ", "all work and no play ", Endless, "");
        await AssertBreaksAsync<ImapProtocolException>(server, c => c.NoopAsync(default));
        Assert.InRange(server.Taken, ImapLimits.Default.MaxLineBytes, ImapLimits.Default.MaxLineBytes + Megabyte);
    }

    [Fact]
    public async Task An_endless_reply_of_literals_breaks_the_connection_at_the_limit()
    {
        var server = Flood("* LIST (", "{3}\r\nabc ", Endless, "");
        await AssertBreaksAsync<ImapProtocolException>(server, c => c.ListAsync("", "*", default));
        Assert.InRange(server.Taken, ImapLimits.Default.MaxFrameBytes, ImapLimits.Default.MaxFrameBytes + Megabyte);
    }

    [Theory]
    [InlineData("* LIST ")]
    [InlineData("* STATUS x ")]
    [InlineData("* 1 FETCH ")]
    [InlineData("* NAMESPACE ")]
    [InlineData("* FLAGS ")]
    [InlineData("* ")]
    public async Task Parentheses_ten_thousand_deep_cost_the_reply_or_the_connection(string opening)
    {
        await AssertBreaksOrGoesOnAsync(Flood(opening, "(", 10_000, "\r\nA1 OK\r\n"), c => c.ListAsync("", "*", default));
        await AssertBreaksOrGoesOnAsync(Flood(opening, "(", 10_000, "\r\nA1 OK\r\n"), c => c.StatusAsync("x", default));
        await AssertBreaksOrGoesOnAsync(Flood(opening, "(", 10_000, "\r\nA1 OK\r\n"), c => c.SelectAsync("x", true, default));
        await AssertBreaksOrGoesOnAsync(Flood(opening, "(", 10_000, "\r\nA1 OK\r\n"), c => c.NamespaceAsync(default));
        await AssertBreaksOrGoesOnAsync(
            Flood(opening, "X (", 10_000, "\r\nA1 OK\r\n"), c => c.FetchMetadataAsync("1:*", true, null, [], default));
    }

    [Theory]
    [InlineData("* 1 EXISTS\r\n")]
    [InlineData("* 1 FETCH (UID 1 FLAGS (\\Seen))\r\n")]
    [InlineData("* LIST () \"/\" name\r\n")]
    [InlineData("* OK [PERMANENTFLAGS (\\Seen a b c d)] again\r\n")]
    [InlineData("* 1 FETCH (UID 1 BODY[] {5}\r\nabcde)\r\n")]
    [InlineData("* SEARCH 1 2 3 4 5 6 7 8\r\n")]
    [InlineData("\r\n")]
    public async Task An_untagged_flood_ahead_of_the_tagged_reply_is_not_kept(string line)
    {
        var times = (4 * Megabyte) / line.Length;
        await using var client = await ConnectAsync(Flood("", line, times, "A1 OK\r\n"));
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await client.NoopAsync(TestContext.Current.CancellationToken);
        var kept = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(kept < Megabyte, $"a flood of {line} left {kept} octets");
    }

    [Fact]
    public async Task A_flood_of_nonsense_breaks_the_connection_at_the_limit()
    {
        var server = Flood("", "what?\r\n", Endless, "");
        await AssertBreaksAsync<ImapProtocolException>(server, c => c.NoopAsync(default));
        Assert.InRange(server.Taken, 7 * ImapLimits.Default.MaxUnknownLines, (7 * ImapLimits.Default.MaxUnknownLines) + Megabyte);
    }

    [Fact]
    public async Task More_folders_than_the_limit_break_the_connection()
    {
        var names = Enumerable.Range(0, 101).Select(i => $"* LIST () \"/\" f{i}\r\n");
        var server = Flood(string.Concat(names), "* LIST () \"/\" more\r\n", 1, "A1 OK\r\n");
        await AssertBreaksAsync<ImapProtocolException>(server, c => c.ListAsync("", "*", default), new ImapLimits { MaxFolders = 100 });
    }

    [Fact]
    public async Task Any_number_of_lines_for_one_folder_are_one_folder()
    {
        await using var client = await ConnectAsync(Flood("", "* LIST () \"/\" same\r\n", 250_000, "A1 OK\r\n"));
        Assert.Single(await client.ListAsync("", "*", TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task More_messages_than_the_server_said_there_are_break_the_connection() =>
        await AssertBreaksAsync<ImapProtocolException>(
            Flood("* 5 EXISTS\r\n", "* 1 FETCH (UID 7 FLAGS ())\r\n", Endless, ""), c => c.FetchMetadataAsync("1:*", false, null, [], default));

    [Fact]
    public async Task Capabilities_are_kept_up_to_the_limit()
    {
        await using var client = await ConnectAsync(Flood("* CAPABILITY ", "C", 500_000, " X\r\nA1 OK\r\n"));
        await client.NoopAsync(TestContext.Current.CancellationToken);
        var words = string.Concat(Enumerable.Range(0, 5000).Select(i => $" X{i}"));
        await using var second = await ConnectAsync(Flood("* CAPABILITY", words, 10, "\r\nA1 OK\r\n"));
        await second.NoopAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ImapLimits.Default.MaxCapabilities, second.Capabilities.Names.Count());
    }

    [Fact]
    public async Task Bodies_that_come_ahead_of_their_uid_wait_for_their_consumer()
    {
        var server = Flood("", "* 1 FETCH (BODY[] {100000}\r\n" + new string('x', 100_000) + " UID 1)\r\n", Endless, "");
        await using var client = await ConnectAsync(server);
        await using var feed = new BodyFeed();
        await client.StartFetchAsync(UidSet.Range(new Uid(1), new Uid(1)), "", feed, TestContext.Current.CancellationToken);
        for (var i = 0; i < 50; i++)
        {
            var body = Assert.IsType<FetchedBody>(await feed.NextAsync(TestContext.Current.CancellationToken));
            Assert.Equal(100_000, body.Length);
            Assert.True(server.Taken < ((i + 1) * 100_100L) + Megabyte, $"{server.Taken} octets were read ahead of body {i}");
        }
    }

    [Fact]
    public async Task A_line_of_braces_and_quotes_costs_no_more_than_reading_it()
    {
        foreach (var piece in (string[])["{ ", "{1 ", "\"", "\" ", "\\\" ", "BODY[ ", "BODY[{", "~{", "[", "([", "(\"\\"])
        {
            await AssertBreaksOrGoesOnAsync(Flood("* LIST () \"/\" ", piece, 900_000 / piece.Length, "\r\nA1 OK\r\n"), c => c.ListAsync("", "*", default));
            await AssertBreaksOrGoesOnAsync(
                Flood("* 1 FETCH (UID 1 ", piece, 900_000 / piece.Length, "\r\nA1 OK\r\n"), c => c.FetchMetadataAsync("1:*", true, null, [], default));
            await AssertBreaksOrGoesOnAsync(Flood("* OK [PERMANENTFLAGS (", piece, 900_000 / piece.Length, "\r\nA1 OK\r\n"), c => c.SelectAsync("x", true, default));
        }
    }

    private static FloodStream Flood(string opening, string piece, long times, string ending) => new(
        "* OK [CAPABILITY IMAP4rev1] ready\r\n"u8.ToArray(), Encoding.Latin1.GetBytes(opening), Encoding.Latin1.GetBytes(piece), times, Encoding.Latin1.GetBytes(ending));

    private static async Task<ImapClient> ConnectAsync(FloodStream server, ImapLimits? limits = null) => await ImapClient.ConnectAsync(
        new ImapClientOptions("mail.example.com", 143, ImapTls.None) { Dial = _ => ValueTask.FromResult<Stream>(server), Limits = limits ?? ImapLimits.Default },
        TestContext.Current.CancellationToken);

    private static async Task AssertBreaksAsync<T>(FloodStream server, Func<ImapClient, Task> call, ImapLimits? limits = null)
        where T : Exception
    {
        await using var client = await ConnectAsync(server, limits);
        await Assert.ThrowsAsync<T>(() => call(client));
        Assert.True(client.IsBroken);
    }

    private static async Task AssertBreaksOrGoesOnAsync(FloodStream server, Func<ImapClient, Task> call)
    {
        await using var client = await ConnectAsync(server);
        try
        {
            await call(client).WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        }
        catch (Exception e) when (e is ImapProtocolException or ImapConnectionException)
        {
            Assert.True(client.IsBroken);
        }
    }
}
