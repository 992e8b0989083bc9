using Imapsync.Imap.Client;
using Imapsync.Imap.Tests.Connection;

namespace Imapsync.Imap.Tests.Commands;

/// <summary>Tests of X-GM-MSGID and X-GM-LABELS.</summary>
public sealed class LabelsTests
{
    [Fact]
    public async Task Labels_come_as_atoms_quoted_or_as_literals_in_any_order()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 X-GM-EXT-1");
        Assert.True(session.Client.Capabilities.HasGmail);
        await SelectAsync(session);
        var rows = await FetchAsync(
            session,
            "* 1 FETCH (X-GM-MSGID 1278455344230334865 X-GM-LABELS (\\Inbox \"\\\\Sent\" Important \"Muy Importante\" {5}\r\na \"b\") UID 4)",
            "* 2 FETCH (UID 5 X-GM-LABELS () FLAGS (\\Seen) X-GM-MSGID 18446744073709551615)",
            "* 3 FETCH (UID 6 X-GM-MSGID 7 X-GM-LABELS NIL)");
        Assert.Equal(
            ["4 1278455344230334865 \\Inbox|\\Sent|Important|Muy Importante|a \"b\"", "5 18446744073709551615 ", "6 7 "],
            rows.Select(r => $"{r.Uid} {r.MessageId} {string.Join('|', r.Labels)}"));
    }

    [Fact]
    public async Task A_reply_that_does_not_say_which_message_costs_itself_alone()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 X-GM-EXT-1");
        await SelectAsync(session);
        var rows = await FetchAsync(
            session,
            "* 1 FETCH (X-GM-MSGID 12 X-GM-LABELS (a))", "* 1 FETCH (UID 4 X-GM-LABELS (a))", "* 1 FETCH (UID 4 X-GM-MSGID many X-GM-LABELS (a))",
            "* 2 FETCH (UID 5 FLAGS (\\Seen))", "* 3 FETCH", "* 3 FETCH (UID 6 X-GM-MSGID 9 X-GM-LABELS (a (b c");
        Assert.Equal(new Uid(6), Assert.Single(rows).Uid);
    }

    [Fact]
    public async Task A_server_that_makes_messages_up_is_left()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 X-GM-EXT-1");
        await SelectAsync(session);
        var fetching = session.Client.FetchLabelsAsync("1:*", [], Session.Token);
        await session.Server.ExpectAsync("UID FETCH 1:* (UID X-GM-MSGID X-GM-LABELS)", Session.Token);
        await session.Server.SendAsync(string.Concat(Enumerable.Repeat("* 1 FETCH (UID 1 X-GM-MSGID 1)\r\n", 10_007)), Session.Token);
        await Assert.ThrowsAsync<ImapProtocolException>(() => fetching);
    }

    [Fact]
    public async Task A_server_that_floods_with_labels_is_left()
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 X-GM-EXT-1", buffered: 128 << 20);
        await SelectAsync(session);
        var fetching = session.Client.FetchLabelsAsync("1:*", [], Session.Token);
        await session.Server.ExpectAsync("UID FETCH 1:* (UID X-GM-MSGID X-GM-LABELS)", Session.Token);
        var label = new string('a', 50_000);
        for (var uid = 1; uid < 1400 && !fetching.IsCompleted; uid++)
            await session.Server.SendAsync($"* 1 FETCH (UID {uid} X-GM-MSGID {uid} X-GM-LABELS ({label}{uid}))\r\n", Session.Token);
        Assert.Contains("labels", (await Assert.ThrowsAsync<ImapProtocolException>(() => fetching)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, "UID STORE 4:5 +X-GM-LABELS (\"\\\\Inbox\" \"Very \\\"new\\\"\")")]
    [InlineData(false, "UID STORE 4:5 -X-GM-LABELS (\"\\\\Inbox\" \"Very \\\"new\\\"\")")]
    public async Task Labels_are_sent_quoted(bool add, string command)
    {
        await using var session = await Session.OpenAsync("IMAP4rev1 X-GM-EXT-1");
        await SelectAsync(session);
        var storing = session.Client.StoreLabelsAsync("4:5", add, ["\\Inbox", "Very \"new\""], Session.Token);
        await session.Server.AnswerAsync(command, "* 1 FETCH (X-GM-LABELS (\\Inbox) UID 4)");
        await storing;
    }

    private static async Task SelectAsync(Session session)
    {
        var selecting = session.Client.SelectAsync("INBOX", true, Session.Token);
        await session.Server.AnswerAsync("EXAMINE \"INBOX\"", "* 3 EXISTS");
        await selecting;
    }

    private static async Task<List<FetchedLabels>> FetchAsync(Session session, params string[] replies)
    {
        var rows = new List<FetchedLabels>();
        var fetching = session.Client.FetchLabelsAsync("1:*", rows, Session.Token);
        await session.Server.AnswerAsync("UID FETCH 1:* (UID X-GM-MSGID X-GM-LABELS)", replies);
        await fetching;
        return rows;
    }
}
