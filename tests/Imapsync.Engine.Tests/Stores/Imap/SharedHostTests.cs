using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Stores.Limits;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>
/// Several accounts share a host's limit on connections. Each account gets at least one connection, and more while the others need fewer.
/// </summary>
public sealed class SharedHostTests
{
    private readonly AppendServer server = new();
    private readonly HostPlaces places = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_folder_waits_for_a_connection_and_questions_do_not()
    {
        using var one = await EnterAsync(most: 2);
        using var two = await EnterAsync(most: 2);
        await using var store = await OpenAsync(one);
        await using var other = await OpenAsync(two);
        var folder = await store.OpenAsync(FolderPath.Inbox, Token);
        var second = store.OpenAsync(FolderPath.Inbox, Token);
        Assert.True(await store.ExistsAsync(FolderPath.Inbox, Token));
        Assert.False(second.IsCompleted);
        await folder.DisposeAsync();
        await (await second).DisposeAsync();
        Assert.Equal(2, server.Connections);
    }

    [Fact]
    public async Task What_another_account_leaves_is_taken_over_by_a_folder_that_waits_and_given_back_for_one_that_comes()
    {
        var gone = await EnterAsync(most: 2);
        using var one = await EnterAsync(most: 2);
        await using var store = await OpenAsync(one);
        await using var folder = await store.OpenAsync(FolderPath.Inbox, Token);
        var opening = store.OpenAsync(FolderPath.Inbox, Token);
        Assert.False(opening.IsCompleted);
        gone.Dispose();
        var second = await opening;

        var coming = EnterAsync(most: 2);
        Assert.False(coming.IsCompleted);
        await second.DisposeAsync();
        using var three = await coming;
        await using var other = await OpenAsync(three);
        Assert.True(await other.ExistsAsync(FolderPath.Inbox, Token));
    }

    [Fact]
    public async Task A_connection_that_nobody_uses_is_closed_for_a_job_that_comes()
    {
        using var one = await EnterAsync(most: 2);
        await using var store = await OpenAsync(one);
        await using var folder = await store.OpenAsync(FolderPath.Inbox, Token);
        await (await store.OpenAsync(FolderPath.Inbox, Token)).DisposeAsync();
        Assert.Equal(2, server.Connections);
        using var two = await EnterAsync(most: 2);
        await using var other = await OpenAsync(two);
        Assert.Equal(3, server.Connections);
    }

    [Fact]
    public async Task The_pace_of_a_host_is_one_for_all_accounts_and_both_ways()
    {
        var clock = new ManualClock();
        var limits = new StoreLimits(clock);
        var host = new HostLimits("h") { MessagesPerSecond = 2 };
        var state = new FileMedium(new StateLocation("/nowhere"), TimeProvider.System);
        var (alice, bob) = (Endpoint() with { HostLimits = host }, Endpoint() with { HostLimits = host, User = "bob" });
        var mailbox = new MemoryStore();
        var uid = new Uid(mailbox.Folder("INBOX").Add(MailboxFixture.Mail("a")));
        await using var read = await limits.OpenSourceAsync(alice, state, (_, _) => { }, () => Task.FromResult<IMessageStore>(mailbox.Open()), Token);
        await using var written = await limits.OpenTargetAsync(
            bob, state, (_, _) => { }, () => ImapStore.OpenAsync(bob, new StoreContext(TimeProvider.System, _ => { }), server.DialAsync, Token), Token);
        await using var source = await read.OpenAsync(FolderPath.Inbox, Token);
        await using var target = await written.OpenForWritingAsync(FolderPath.Inbox, Token);
        Assert.Equal(1, await source.ReadAsync([new MessageInfo(uid, FlagSet.Empty)], Token).CountAsync(Token));
        // Both accounts share the host's limit of 2 messages per second. Reading alice's message used it up, so the APPEND to bob's account
        // must wait.
        var waiting = target.AppendAsync(AppendRun.Window(("", "b\r\n")), Token);
        Assert.False(waiting.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Single(await waiting);
    }

    private Task<HostEntry> EnterAsync(int most) => places.EnterAsync(new HostLimits("h") { Connections = most }, null, _ => { }, Token);

    private Task<ITargetStore> OpenAsync(HostEntry entry) =>
        ImapStore.OpenAsync(Endpoint(), new StoreContext(TimeProvider.System, _ => { }) { Share = entry.Source }, server.DialAsync, Token);

    private static ImapEndpoint Endpoint() => new("imap.example.com", 143, TlsMode.None, "alice") { Connections = 4 };
}
