using System.Globalization;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap.Client;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>Commands that need no folder share a connection, so that many of them cost few round trips.</summary>
public sealed class SharedConnectionTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Statuses_are_asked_for_ahead_of_answers_and_on_one_connection()
    {
        var (server, client) = ScriptedServer.InMemory();
        await using var _ = server;
        var connections = 0;
        var opening = OpenAsync(_ => Interlocked.Increment(ref connections) == 1 ? client : throw new InvalidOperationException("a second connection"));
        await server.SendAsync("* PREAUTH [CAPABILITY IMAP4rev1 NAMESPACE] ready\r\n", Token);
        await using var store = await opening;

        // NAMESPACE and LIST are sent together; neither waits for the other's reply.
        var listing = store.ListFoldersAsync(Token);
        var namespaces = await server.ExpectAsync("NAMESPACE", Token);
        var folders = await server.ExpectAsync("LIST \"\" \"*\"", Token);
        await server.SendAsync($"* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n{namespaces} OK\r\n" + string.Concat(Names.Select(n => $"* LIST () \"/\" {n}\r\n")) + $"{folders} OK\r\n", Token);
        var subscribed = await server.ExpectAsync("LSUB \"\" \"*\"", Token);
        await server.SendAsync($"{subscribed} OK\r\n", Token);
        Assert.Equal(Names.Length, (await listing).Count);

        var asking = Names.Select(n => store.GetStatusAsync(new FolderPath(n), Token)).ToList();
        var tags = new Dictionary<string, string>();
        while (tags.Count < Names.Length)
        {
            var words = (await server.ReadLineAsync(Token))!.Split(' ');
            Assert.Equal("STATUS", words[1]);
            tags[words[2].Trim('"')] = words[0];
        }

        foreach (var (n, name) in Names.Index())
            await server.SendAsync(string.Create(CultureInfo.InvariantCulture, $"* STATUS {name} (MESSAGES {n} UIDNEXT 9 UIDVALIDITY 7)\r\n{tags[name]} OK\r\n"), Token);
        Assert.Equal(Names.Select((_, n) => (long)n), (await Task.WhenAll(asking)).Select(s => s.Messages));
        Assert.Equal(1, connections);
    }

    [Fact]
    public async Task One_that_gives_up_while_connecting_does_not_fail_the_others()
    {
        using var giveUp = new CancellationTokenSource();
        var dialled = new TaskCompletionSource();
        var (server, client) = ScriptedServer.InMemory();
        await using var _ = server;
        var connections = 0;
        await using var pool = new ConnectionPool(
            async c =>
            {
                if (Interlocked.Increment(ref connections) == 1)
                {
                    dialled.SetResult();
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, c);
                }

                return await ImapClient.ConnectAsync(Options(client), c);
            },
            size: 1,
            TimeProvider.System,
            _ => { });

        var first = pool.RunAsync(c => Task.FromResult(c.Greeting), giveUp.Token);
        await dialled.Task;
        var second = pool.RunAsync(c => Task.FromResult(c.Greeting), Token);
        await giveUp.CancelAsync();
        await server.SendAsync("* PREAUTH [CAPABILITY IMAP4rev1] hello\r\n", Token);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        Assert.Equal("hello", await second);
    }

    private static readonly string[] Names = ["INBOX", "One", "Two", "Three", "Four", "Five"];

    private static Task<ITargetStore> OpenAsync(Func<CancellationToken, Stream> dial) => ImapStore.OpenAsync(
        new ImapEndpoint("mail.example.org", 143, TlsMode.None, "alice"),
        new StoreContext(TimeProvider.System, _ => { }),
        c => ValueTask.FromResult(dial(c)),
        Token);

    private static Imapsync.Imap.ImapClientOptions Options(Stream client) =>
        new("mail.example.org", 143, Imapsync.Imap.ImapTls.None) { Dial = _ => ValueTask.FromResult(client) };
}
