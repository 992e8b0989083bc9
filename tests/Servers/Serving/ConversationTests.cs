using System.Text.RegularExpressions;
using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>
/// Conversations with a served backup, command by command in the order of RFC 3501: the answer in each state, and the commands that a
/// read-only server refuses.
/// </summary>
public sealed class ConversationTests : IAsyncLifetime
{
    private readonly TempDir dir = new();
    private ServedBackup served = null!;

    public async ValueTask InitializeAsync()
    {
        var mailbox = new MaildirWriter(dir.Create("mail"));
        for (var i = 1; i <= 4; i++)
            mailbox.Add("INBOX", System.Text.Encoding.ASCII.GetBytes($"Message-ID: <m{i}@x>\r\nSubject: number {i}\r\nFrom: a{i}@example.org\r\n\r\ntext {i}\r\n"), MailGenerator.Date(i), i % 2 == 0 ? "S" : "F");
        mailbox.Add("Work/Plans", "Subject: plan\r\n\r\nbody\r\n"u8.ToArray(), MailGenerator.Date(9), "");
        served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["mail"]));
    }

    public async ValueTask DisposeAsync()
    {
        await served.DisposeAsync();
        dir.Dispose();
    }

    [Theory]
    // Any state: RFC 3501 section 6.1.
    [InlineData("CAPABILITY", @"\* CAPABILITY IMAP4rev1( \S+)+", "OK .*")]
    [InlineData("NOOP", "OK .*")]
    [InlineData("noop", "OK .*")]
    [InlineData("LOGOUT", @"\* BYE .*", "OK .*")]
    [InlineData("ID (\"name\" \"test\")", @"\* ID \(""name"" ""imapsync"".*\)", "OK .*")]
    [InlineData("ID NIL", @"\* ID .*", "OK .*")]
    [InlineData("NAMESPACE", @"\* NAMESPACE \(\(""""? ?"""" ""/""\)\) NIL NIL|\* NAMESPACE \(\("""" ""/""\)\) NIL NIL", "OK .*")]
    // Section 6.3: folders.
    [InlineData("LIST \"\" \"\"", @"\* LIST \(\\Noselect\) ""/"" """"", "OK .*")]
    [InlineData("LIST \"\" INBOX", @"\* LIST \([^)]*\) ""/"" ""?INBOX""?", "OK .*")]
    [InlineData("LIST \"\" inbox", @"\* LIST \([^)]*\) ""/"" ""?INBOX""?", "OK .*")]
    [InlineData("LIST \"\" %", @"\* LIST \([^)]*\) ""/"" ""?INBOX""?", @"\* LIST \([^)]*\\(?:Noselect|NonExistent)[^)]*\) ""/"" ""?Work""?", "OK .*")]
    [InlineData("LIST Work/ %", @"\* LIST \([^)]*\) ""/"" ""?Work/Plans""?", "OK .*")]
    [InlineData("LIST \"\" nothing*", "OK .*")]
    [InlineData("LIST \"\" Work/Plans RETURN (STATUS (MESSAGES))", @"\* LIST \([^)]*\) ""/"" ""?Work/Plans""?", @"\* STATUS ""?Work/Plans""? \(MESSAGES 1\)", "OK .*")]
    [InlineData("STATUS Work/Plans (MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT)", @"\* STATUS ""?Work/Plans""? \(MESSAGES 1 UIDNEXT \d+ UIDVALIDITY \d+ UNSEEN 1 RECENT 0\)", "OK .*")]
    [InlineData("STATUS Nowhere (MESSAGES)", "NO .*")]
    [InlineData("STATUS INBOX ()", "BAD .*")]
    [InlineData("SELECT Nowhere", "NO .*")]
    [InlineData("SELECT Work", "NO .*")]
    [InlineData("CREATE New", "NO .*")]
    [InlineData("DELETE INBOX", "NO .*")]
    [InlineData("RENAME INBOX Old", "NO .*")]
    [InlineData("SUBSCRIBE INBOX", "NO .*")]
    [InlineData("UNSUBSCRIBE INBOX", "NO .*")]
    // Commands that are not allowed in this state, and an unknown command.
    [InlineData("FETCH 1 FLAGS", "BAD .*")]
    [InlineData("SEARCH ALL", "BAD .*")]
    [InlineData("CLOSE", "BAD .*")]
    [InlineData("LOGIN alice again", "BAD .*")]
    [InlineData("XYZZY", "BAD .*")]
    public Task Before_a_folder_is_opened(string command, params string[] answers) => TalkAsync([], command, answers);

    [Theory]
    [InlineData("SELECT INBOX")]
    [InlineData("EXAMINE INBOX")]
    public Task A_folder_is_opened_to_be_read(string command) => TalkAsync(
        [], command,
        @"\* FLAGS \(.*\\Seen.*\)", @"\* 4 EXISTS", @"\* 0 RECENT", @"\* OK \[UNSEEN 1\].*", @"\* OK \[UIDVALIDITY [1-9]\d*\].*", @"\* OK \[UIDNEXT [1-9]\d*\].*", @"\* OK \[PERMANENTFLAGS \(\)\].*", @"OK \[READ-ONLY\].*");

    [Theory]
    // Section 6.4: sequence sets, in any order, with and without UIDs.
    [InlineData("FETCH 1 FLAGS", @"\* 1 FETCH \(FLAGS \(\\Flagged\)\)", "OK .*")]
    [InlineData("FETCH 2:1 (FLAGS)", @"\* 1 FETCH \(FLAGS \(\\Flagged\)\)", @"\* 2 FETCH \(FLAGS \(\\Seen\)\)", "OK .*")]
    [InlineData("FETCH 4:* UID", @"\* 4 FETCH \(UID 4\)", "OK .*")]
    [InlineData("FETCH *:3 UID", @"\* 3 FETCH \(UID 3\)", @"\* 4 FETCH \(UID 4\)", "OK .*")]
    [InlineData("UID FETCH 2 FLAGS", @"\* 2 FETCH \((?:UID 2 FLAGS \(\\Seen\)|FLAGS \(\\Seen\) UID 2)\)", "OK .*")]
    [InlineData("UID FETCH 900:* UID", @"\* 4 FETCH \(UID 4\)", "OK .*")]
    [InlineData("UID FETCH 900:901 UID", "OK .*")]
    [InlineData("FETCH 9 UID", "BAD .*")]
    [InlineData("FETCH 0 UID", "BAD .*")]
    [InlineData("FETCH 1 NOTHING", "BAD .*")]
    [InlineData("FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]", @"(?s)\* 1 FETCH \(BODY\[HEADER\.FIELDS \(SUBJECT\)\] \{\d+\}.*Subject: number 1.*\)", "OK .*")]
    [InlineData("FETCH 3 BODY[TEXT]<0.4>", @"(?s)\* 3 FETCH \(BODY\[TEXT\]<0> \{4\}.*text\)", "OK .*")]
    [InlineData("FETCH 1 FAST", @"\* 1 FETCH \(FLAGS \(\\Flagged\) INTERNALDATE ""[^""]{26}"" RFC822\.SIZE \d+\)", "OK .*")]
    [InlineData("SEARCH ALL", @"\* SEARCH 1 2 3 4", "OK .*")]
    [InlineData("SEARCH SEEN", @"\* SEARCH 2 4", "OK .*")]
    [InlineData("SEARCH NOT SEEN SUBJECT \"number 3\"", @"\* SEARCH 3", "OK .*")]
    [InlineData("SEARCH OR FROM a1 FROM a4", @"\* SEARCH 1 4", "OK .*")]
    [InlineData("SEARCH UID 2:3", @"\* SEARCH 2 3", "OK .*")]
    [InlineData("UID SEARCH 4 FLAGGED", @"\* SEARCH", "OK .*")]
    [InlineData("SEARCH RETURN (COUNT MIN MAX) ALL", @"\* ESEARCH \(TAG ""[^""]+""\).*", "OK .*")]
    [InlineData("SEARCH CHARSET UTF-8 BODY text", @"\* SEARCH 1 2 3 4", "OK .*")]
    [InlineData("SEARCH CHARSET X-UNKNOWN BODY text", @"NO \[BADCHARSET.*")]
    [InlineData("SEARCH SUBJECT", "BAD .*")]
    [InlineData("STORE 1 +FLAGS (\\Deleted)", "NO .*")]
    [InlineData("UID STORE 1 FLAGS (\\Seen)", "NO .*")]
    [InlineData("EXPUNGE", "NO .*")]
    [InlineData("COPY 1 Work/Plans", "NO .*")]
    [InlineData("UID MOVE 1 Work/Plans", "(?:NO|BAD) .*")]
    [InlineData("CHECK", "OK .*")]
    [InlineData("CLOSE", "OK .*")]
    [InlineData("UNSELECT", "OK .*")]
    [InlineData("UID", "BAD .*")]
    [InlineData("UID NOOP", "BAD .*")]
    public Task In_an_opened_folder(string command, params string[] answers) => TalkAsync(["EXAMINE INBOX"], command, answers);

    [Theory]
    [InlineData("CLOSE")]
    [InlineData("UNSELECT")]
    [InlineData("SELECT Nowhere")]
    public Task No_folder_is_open_any_more(string command) => TalkAsync(["EXAMINE INBOX", "?" + command], "FETCH 1 FLAGS", "BAD .*");

    [Fact]
    public async Task Nothing_that_was_said_has_changed_a_flag()
    {
        await TalkAsync(["SELECT INBOX", "?STORE 1:* +FLAGS (\\Deleted)", "FETCH 1:* BODY[]", "CLOSE", "SELECT INBOX"], "SEARCH DELETED", @"\* SEARCH", "OK .*");
        await TalkAsync(["SELECT INBOX"], "SEARCH UNSEEN", @"\* SEARCH 1 3", "OK .*");
    }

    /// <param name="before">Commands to send first. Each must succeed, unless a question mark precedes it.</param>
    /// <param name="answers">One pattern for each line of the reply; untagged ones may come in any order.</param>
    private async Task TalkAsync(string[] before, string command, params string[] answers)
    {
        await using var client = await served.ConnectAsync();
        foreach (var said in before)
        {
            if (said[0] == '?')
                await client.CommandAsync(said[1..]);
            else
                await client.OkAsync(said);
        }

        var reply = await client.CommandAsync(command);
        var all = $"{command}\n{string.Join('\n', reply)}";
        Assert.Matches($"^(?:{answers[^1]})$", reply[^1]);
        Assert.True(reply.Count == answers.Length, all);
        foreach (var answer in answers[..^1])
            Assert.True(reply.Exists(l => Regex.IsMatch(l, $"^(?:{answer})$", RegexOptions.None, TimeSpan.FromSeconds(10))), $"{answer}\n{all}");
    }
}
