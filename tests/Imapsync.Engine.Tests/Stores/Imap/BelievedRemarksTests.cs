using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>Servers' claims about UIDs and success, checked against the contents of the folder.</summary>
public sealed class BelievedRemarksTests
{
    private readonly AppendServer server = new();

    public BelievedRemarksTests()
    {
        for (uint uid = 1; uid <= 3; uid++)
            server.Messages.Add(new AppendedMessage(uid, "", $"the owner's {uid}"));
    }

    [Theory]
    [InlineData("7064 1")]
    [InlineData("7 1")]
    [InlineData("8 4")]
    [InlineData("7 4294967296")]
    [InlineData("7 4:9")]
    [InlineData("0 4")]
    public async Task An_APPENDUID_that_can_not_be_is_not_believed(string said)
    {
        server.OnAppend = (_, _) => new($"OK [APPENDUID {said}] done", Stores: true);
        await using var run = await AppendRun.OpenAsync(server);
        await run.CopyAsync(("\\Seen", "first"), ("", "second one"), ("", "third message"));
        Assert.Equal([4u, 5u, 6u], run.Receipts.Values.Select(r => r.Target.Value));
        Assert.All(server.Messages.Take(3), m => Assert.Equal("", m.Flags));
    }

    [Fact]
    public async Task A_UID_given_twice_is_not_believed()
    {
        server.OnAppend = (_, _) => new("OK [APPENDUID 7 4] done", Stores: true);
        await using var run = await AppendRun.OpenAsync(server);
        await run.CopyAsync(("", "first"), ("", "second one"), ("", "third message"));
        Assert.Equal([4u, 5u, 6u], run.Receipts.Values.Select(r => r.Target.Value));
    }

    [Theory]
    [InlineData("IMAP4rev1 LITERAL+")]
    [InlineData("IMAP4rev1 UIDPLUS LITERAL+")]
    [InlineData("IMAP4rev1 LITERAL+ MULTIAPPEND")]
    public async Task What_was_accepted_and_does_not_lie_in_the_folder_has_failed(string capabilities)
    {
        server.Capabilities = capabilities;
        server.OnAppend = (_, body) => body == "dropped" ? new("OK done") : null;
        await using var run = await AppendRun.OpenAsync(server);
        if (capabilities.Contains("MULTIAPPEND", StringComparison.Ordinal))
            server.OnAppend = (_, body) => body == "dropped" ? new("OK done") : null;
        await run.CopyAsync(("", "dropped"));
        Assert.Contains("not in the folder", Assert.Single(run.Receipts.Values).Failure!.Message, StringComparison.Ordinal);
        await using var folder = await run.Store.OpenForWritingAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
        Assert.Equal(new Uid(4), folder.UidNext);
    }

    [Fact]
    public async Task Gmail_throws_away_what_it_has_already_and_that_is_no_failure()
    {
        server.Capabilities = "IMAP4rev1 UIDPLUS LITERAL+ X-GM-EXT-1";
        server.OnAppend = (_, _) => new("OK [APPENDUID 7 4] done");
        await using var run = await AppendRun.OpenAsync(server);
        await run.CopyAsync(("", "a twin"));
        Assert.Null(Assert.Single(run.Receipts.Values).Failure);
    }

    [Fact]
    public async Task Without_UIDPLUS_mail_of_others_among_ours_hides_no_UID()
    {
        server.Capabilities = "IMAP4rev1 LITERAL+";
        server.OnAppend = (_, body) =>
        {
            if (body == "second one")
                server.Messages.Add(new AppendedMessage((uint)server.Messages.Count + 1, "", "somebody else's, of another length"));
            return null;
        };
        await using var run = await AppendRun.OpenAsync(server);
        await run.CopyAsync(("", "first"), ("", "second one"), ("", "third message"));
        Assert.Equal([4u, 6u, 7u], run.Receipts.Values.Select(r => r.Target.Value));
    }

    [Fact]
    public async Task A_folder_opened_without_EXISTS_is_not_taken_for_an_empty_one()
    {
        server.OnCommand = c => c.StartsWith("EXAMINE", StringComparison.Ordinal) ? "OK [UIDVALIDITY 7] x\nOK [UIDNEXT 4] x\nOK done" : null;
        await using var run = await AppendRun.OpenAsync(server);
        var e = await Assert.ThrowsAsync<MailException>(() => run.Store.OpenAsync(FolderPath.Inbox, TestContext.Current.CancellationToken));
        Assert.Contains("EXISTS", e.Message, StringComparison.Ordinal);
        server.Messages.Clear();
        await using var empty = await run.Store.OpenAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
        Assert.Equal(0, empty.Status.Messages);
    }

    [Theory]
    [InlineData("NO no such mailbox", false)]
    [InlineData("NO [NONEXISTENT] what", false)]
    [InlineData("NO [INUSE] busy", null)]
    [InlineData("NO [NOPERM] may not", null)]
    [InlineData("BAD what", null)]
    public async Task A_folder_is_gone_only_where_the_server_says_so(string reply, bool? isThere)
    {
        server.OnCommand = c => c.StartsWith("STATUS", StringComparison.Ordinal) && c.Contains("Work", StringComparison.Ordinal) ? reply : null;
        await using var run = await AppendRun.OpenAsync(server);
        var asking = run.Store.ExistsAsync(FolderPath.Parse("Work"), TestContext.Current.CancellationToken);
        if (isThere == false)
            Assert.False(await asking);
        else
            await Assert.ThrowsAsync<MailException>(() => asking);
    }

    [Theory]
    [InlineData("OK nothing", 0)]
    [InlineData("BAD invalid message set", 0)]
    [InlineData("NO invalid message set", 0)]
    [InlineData("NO [UNAVAILABLE] try again", null)]
    [InlineData("NO [SERVERBUG] sorry", null)]
    [InlineData("3 FETCH (UID 3 FLAGS ())\nOK done", 1)]
    public async Task No_message_by_EXISTS_is_believed_where_the_listing_says_so_too(string reply, int? listed)
    {
        server.OnCommand = c => c.StartsWith("EXAMINE", StringComparison.Ordinal) ? "0 EXISTS\nOK [UIDVALIDITY 7] x\nOK [UIDNEXT 5] x\nOK [READ-ONLY] done"
            : c.StartsWith("UID FETCH", StringComparison.Ordinal) ? reply : null;
        await using var run = await AppendRun.OpenAsync(server);
        await using var folder = await run.Store.OpenAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
        var listing = folder.ListAsync(new ListRequest(), TestContext.Current.CancellationToken).CountAsync(TestContext.Current.CancellationToken);
        if (listed is { } count)
            Assert.Equal(count, await listing);
        else
            await Assert.ThrowsAsync<MailException>(async () => await listing);
    }
}
