using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.SigningIn;

namespace Imapsync.Engine.Tests.Stores.Pop3;

/// <summary>POP3 servers that give false answers, hang up early or lack required features.</summary>
public sealed class LyingPop3Tests
{
    private const string Head = "Subject: x\r\n\r\n";

    [Fact]
    public async Task Octets_come_as_they_are_whatever_they_are()
    {
        string[] bodies =
        [
            Head + ".\r\n", Head + "..\r\n...\r\n", ".\r\n\r\n.x\r\n", Head + "a\n.\nb\r\n", Head + "\n.\r\n", Head + "a\r.\rb\r\n", Head + "a\r\r\n.\r\n",
            Head + "nul \0 and \0\0\r\n", Head + string.Concat(Enumerable.Range(128, 128).Select(c => (char)c)) + "\r\n", "x\r\n", "\r\n", Head + new string('y', 300_000) + "\r\n",
        ];
        using var server = Pop3Server.With(bodies);

        var report = await server.RunAsync();

        Assert.True(report.Outcome == JobOutcome.Ok, server.Problems);
        // Compare sent and arrived messages with all line ends as CRLF, because reading the Maildir turns a bare LF into CRLF.
        Assert.Equal(bodies.Select(Normal).Order(StringComparer.Ordinal), server.Arrived().Select(Normal).Order(StringComparer.Ordinal));
        static string Normal(string text) => text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace("\n", "\r\n", StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_second_run_asks_for_no_message()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n");
        await server.RunAsync();
        server.Heard.Clear();

        var second = await server.RunAsync();

        Assert.Equal(2, second.Totals.AlreadyPresent);
        Assert.DoesNotContain(server.Heard, c => c.StartsWith("RETR", StringComparison.Ordinal) || c.StartsWith("TOP", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Numbers_that_change_between_sessions_and_have_gaps_mislead_nobody()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n", Head + "three\r\n");
        await server.RunAsync();
        // The first message is gone, the order has changed, and one message is new.
        server.Messages.Clear();
        server.Messages[2] = ("id-3", Encoding.Latin1.GetBytes(Head + "three\r\n"));
        server.Messages[5] = ("new", Encoding.Latin1.GetBytes(Head + "four\r\n"));
        server.Messages[9] = ("id-2", Encoding.Latin1.GetBytes(Head + "two\r\n"));

        var second = await server.RunAsync();

        Assert.True(second.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Equal(1, second.Totals.Copied);
        Assert.Equal(4, server.Arrived().Count);
    }

    [Theory]
    [InlineData("UIDL", "-ERR unknown command\r\n", "UIDL")]
    [InlineData("UIDL", "+OK\r\n1 same\r\n2 same\r\n.\r\n", "messages 1 and 2 have the same unique-id, 'same'")]
    [InlineData("UIDL", "+OK\r\n1 a\r\n1 b\r\n.\r\n", "lists message 1 twice")]
    [InlineData("UIDL", "+OK\r\n1 \r\n2 b\r\n.\r\n", "the unique-id of message 1 is none")]
    public async Task A_server_whose_messages_can_not_be_told_apart_is_refused_with_the_reason(string command, string answer, string reason)
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n");
        server.Instead = c => c == command ? answer : null;

        var report = await server.RunAsync();

        Assert.Equal(JobOutcome.Failed, report.Outcome);
        Assert.Contains(reason, server.Problems, StringComparison.Ordinal);
        Assert.Empty(server.Arrived());
    }

    [Fact]
    public async Task A_server_that_says_it_has_no_UIDL_is_not_asked_for_it()
    {
        using var server = Pop3Server.With(Head + "one\r\n");
        server.Capabilities = ["USER", "TOP"];

        Assert.Equal(JobOutcome.Failed, (await server.RunAsync()).Outcome);

        Assert.DoesNotContain("UIDL", server.Heard);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_000_000_000)]
    public async Task A_size_that_is_wrong_changes_nothing(long size)
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n");
        server.Instead = c => c == "LIST" ? $"+OK\r\n1 {size}\r\n2 {size}\r\n.\r\n" : null;

        var report = await server.RunAsync();

        Assert.True(report.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Equal([Head + "one\r\n", Head + "two\r\n"], server.Arrived());
    }

    [Fact]
    public async Task A_message_that_is_refused_fails_alone_and_is_asked_for_again_by_the_next_run()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n", Head + "three\r\n");
        server.Instead = c => c == "RETR 2" ? "-ERR [SYS/PERM] it is broken\r\n" : null;

        var first = await server.RunAsync(deletes: true);

        Assert.Equal(JobOutcome.Incomplete, first.Outcome);
        Assert.Equal((2, 1), (first.Totals.Copied, first.Totals.Failed));
        Assert.Contains("it is broken", server.Problems, StringComparison.Ordinal);
        // A message that was not copied is not deleted from the server.
        Assert.Equal("id-2", Assert.Single(server.Messages).Value.Id);
        server.Instead = _ => null;
        var second = await server.RunAsync(deletes: true);
        Assert.True(second.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Equal(3, server.Arrived().Count);
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task A_message_that_ends_the_session_each_time_is_given_up_and_the_others_come()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n", Head + "three\r\n", Head + "four\r\n");
        server.Instead = c => c == "RETR 2" ? "+OK\r\nSubject: tor\x01" : null;

        var report = await server.RunAsync();

        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Equal((3, 1), (report.Totals.Copied, report.Totals.Failed));
        Assert.Equal([Head + "four\r\n", Head + "one\r\n", Head + "three\r\n"], server.Arrived());
    }

    [Fact]
    public async Task A_session_torn_in_a_message_leaves_no_half_message()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n", Head + "three\r\n");
        var torn = 0;
        server.Instead = c => c == "RETR 2" && torn++ == 0 ? "+OK\r\nSubject: tor\x01" : null;

        var report = await server.RunAsync();

        Assert.True(report.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Equal([Head + "one\r\n", Head + "three\r\n", Head + "two\r\n"], server.Arrived());
        Assert.Equal(3, report.Totals.Copied);
    }

    [Fact]
    public async Task A_session_torn_while_deleting_deletes_nothing_and_the_next_run_does()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n");
        server.Instead = c => c == "DELE 2" ? "" : null;

        var first = await server.RunAsync(deletes: true);

        Assert.Equal(2, first.Totals.Copied);
        Assert.Equal(2, server.Messages.Count);
        server.Instead = _ => null;
        await server.RunAsync(deletes: true);
        Assert.Empty(server.Messages);
        Assert.Equal(2, server.Arrived().Count);
    }

    [Fact]
    public async Task A_unique_id_that_comes_back_for_other_mail_after_it_was_deleted_is_new_mail()
    {
        // A server may reuse the unique-id of a deleted message (RFC 1939 §7). So the second message must be copied although its unique-id
        // is known.
        using var server = Pop3Server.With(Head + "one\r\n");
        await server.RunAsync(deletes: true);
        server.Messages[1] = ("id-1", Encoding.Latin1.GetBytes(Head + "two\r\n"));

        var second = await server.RunAsync(deletes: true);

        Assert.True(second.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Equal([Head + "one\r\n", Head + "two\r\n"], server.Arrived());
        Assert.Empty(server.Messages);
    }

    [Theory]
    [InlineData(DeletionPolicy.Keep, 2)]
    [InlineData(DeletionPolicy.Mirror, 1)]
    public async Task A_unique_id_that_somebody_else_s_deletion_left_to_other_mail_is_new_mail_by_its_size(DeletionPolicy deletions, int left)
    {
        using var server = Pop3Server.With(Head + "one\r\n");
        server.Deletions = deletions;
        await server.RunAsync();
        server.Messages[1] = ("id-1", Encoding.Latin1.GetBytes(Head + "another\r\n"));

        var second = await server.RunAsync();

        Assert.True(second.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Contains(Head + "another\r\n", server.Arrived());
        Assert.Equal(left, server.Arrived().Count);
        Assert.Equal(0, (await server.RunAsync()).Totals.Copied);
    }

    [Theory]
    [InlineData(DeletionPolicy.Keep)]
    [InlineData(DeletionPolicy.Mirror)]
    public async Task Sizes_that_are_stated_otherwise_each_time_double_and_remove_nothing(DeletionPolicy deletions)
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n", Head + "three\r\n");
        server.Deletions = deletions;
        var lists = 0;
        server.Instead = c => c == "LIST" ? $"+OK\r\n1 {++lists * 100}\r\n2 {lists}\r\n3 7\r\n.\r\n" : null;
        var before = (await server.RunAsync(), server.Arrived()).Item2;
        for (var i = 0; i < 3; i++)
        {
            var report = await server.RunAsync();
            Assert.True(report.Outcome == JobOutcome.Ok, server.Problems);
            Assert.Equal((0, 0), (report.Totals.Copied, report.Totals.Deleted));
            Assert.Equal(before, server.Arrived());
        }
    }

    [Fact]
    public async Task A_deletion_that_is_refused_is_a_problem_and_keeps_no_other_from_being_made()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n", Head + "three\r\n");
        server.Instead = c => c == "DELE 2" ? "-ERR [SYS/PERM] not that one\r\n" : null;

        var first = await server.RunAsync(deletes: true);

        Assert.Equal(JobOutcome.Incomplete, first.Outcome);
        Assert.Contains("the server deletes 2 and refuses to delete 1: DELE: -ERR [SYS/PERM] not that one", server.Problems, StringComparison.Ordinal);
        Assert.Contains(Reasons.Removal, server.Problems, StringComparison.Ordinal);
        Assert.Equal("id-2", Assert.Single(server.Messages).Value.Id);
        server.Instead = _ => null;
        var second = await server.RunAsync(deletes: true);
        Assert.True(second.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Empty(server.Messages);
        Assert.Equal(3, server.Arrived().Count);
    }

    [Fact]
    public async Task A_server_that_refuses_every_deletion_for_good_makes_the_state_no_larger()
    {
        using var server = Pop3Server.With([.. Enumerable.Range(0, 50).Select(i => Head + $"{i}\r\n")]);
        server.Instead = c => c.StartsWith("DELE", StringComparison.Ordinal) ? "-ERR [SYS/PERM] not here\r\n" : null;
        await server.RunAsync(deletes: true);
        await server.RunAsync(deletes: true);
        var lines = File.ReadAllLines(Names(server));

        for (var run = 0; run < 3; run++)
            Assert.Equal((50, JobOutcome.Incomplete), ((await server.RunAsync(deletes: true)).Totals.AlreadyPresent, server.Report.Outcome));

        Assert.Equal(lines, File.ReadAllLines(Names(server)));
        server.Instead = _ => null;
        await server.RunAsync(deletes: true);
        Assert.True(server.Report.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Empty(server.Messages);
        Assert.Equal(50, server.Arrived().Count);
    }

    [Fact]
    public async Task Where_unique_ids_can_not_be_given_up_nothing_is_deleted()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n");
        await server.RunAsync();
        var (names, moved) = (Names(server), Names(server) + ".moved");
        server.Instead = c =>
        {
            if (c == "DELE 1")
                File.Move(names, moved);
            return null;
        };
        await server.RunAsync(deletes: true);
        Assert.NotEqual(JobOutcome.Ok, server.Report.Outcome);
        Assert.Equal(2, server.Messages.Count);
        Assert.Equal("DELE 2", server.Heard[^1]);

        File.Move(moved, names, overwrite: true);
        server.Instead = _ => null;
        await server.RunAsync(deletes: true);
        Assert.True(server.Report.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Empty(server.Messages);
        Assert.Equal(2, server.Arrived().Count);
    }

    private static string Names(Pop3Server server) => Directory.GetFiles(server.Definition.StateDirectory, "*.names", SearchOption.AllDirectories).Single();

    [Fact]
    public async Task A_farewell_that_tells_of_messages_not_deleted_is_a_problem()
    {
        using var server = Pop3Server.With(Head + "one\r\n");
        server.Instead = c => c == "QUIT" ? "-ERR some deleted messages not removed\r\n" : null;

        var report = await server.RunAsync(deletes: true);

        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Contains("some deleted messages not removed", server.Problems, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_server_says_of_a_token_that_it_refuses_is_told()
    {
        using var server = Pop3Server.With(Head + "one\r\n");
        server.Capabilities = ["USER", "UIDL", "SASL XOAUTH2"];
        (server.Auth, server.Password) = (AuthMechanism.XOAuth2, new CommandToken(new Pop3Server.Fixed()));
        var said = Convert.ToBase64String("""{"status":"400","scope":"https://mail.example.com/pop"}"""u8);
        var lines = new Queue<string>();
        server.Instead = c =>
        {
            if (c == "AUTH XOAUTH2")
                lines = new Queue<string>(["+ \r\n", $"+ {said}\r\n", "-ERR [AUTH] no\r\n"]);
            return lines.TryDequeue(out var line) ? line : null;
        };

        Assert.Equal(JobOutcome.Failed, (await server.RunAsync()).Outcome);

        Assert.Contains("https://mail.example.com/pop", server.Problems, StringComparison.Ordinal);
        Assert.DoesNotContain("sesame-4711", server.Problems, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_says_it_has_deleted_and_has_not_doubles_nothing()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n");
        server.Instead = c => c == "QUIT" ? "+OK\r\n" : null;
        await server.RunAsync(deletes: true);
        Assert.Equal(2, server.Messages.Count);
        server.Instead = _ => null;

        var second = await server.RunAsync(deletes: true);

        Assert.True(second.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Equal([Head + "one\r\n", Head + "two\r\n"], server.Arrived());
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task Other_mail_under_the_unique_id_of_what_was_copied_by_an_earlier_run_is_not_deleted()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n");
        await server.RunAsync();
        server.Messages[1] = ("id-1", Encoding.Latin1.GetBytes(Head + "six\r\n"));

        await server.RunAsync(deletes: true);

        Assert.Equal("id-1", Assert.Single(server.Messages).Value.Id);
    }

    [Fact]
    public async Task More_messages_counted_than_listed_is_no_whole_listing()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n");
        server.Instead = c => c == "STAT" ? "+OK 5 1000\r\n" : null;

        var report = await server.RunAsync();

        Assert.Equal(JobOutcome.Incomplete, report.Outcome);
        Assert.Equal(2, report.Totals.Copied);
        Assert.Contains(Reasons.Listing, server.Problems, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_of_the_first_days_without_CAPA_TOP_or_pipelining_will_do()
    {
        using var server = Pop3Server.With(Head + "one\r\n", Head + "two\r\n");
        server.Capabilities = null;
        server.Greeting = "+OK <1896.697170952@dbc.mtview.ca.us>";
        server.Instead = c => c.StartsWith("TOP", StringComparison.Ordinal) || c.StartsWith("AUTH", StringComparison.Ordinal) ? "-ERR what?\r\n" : null;

        var report = await server.RunAsync();

        Assert.True(report.Outcome == JobOutcome.Ok, server.Problems);
        Assert.Equal(2, server.Arrived().Count);
        // Without the state of the first run, the messages are recognised by their headers, so none is copied again.
        Directory.Delete(server.Definition.StateDirectory, recursive: true);
        Assert.Equal(0, (await server.RunAsync()).Totals.Copied);
        Assert.Contains(server.Heard, c => c.StartsWith("APOP alice ", StringComparison.Ordinal));
        Assert.DoesNotContain(server.Heard, c => c.Contains("sesame-4711", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("* OK IMAP4rev1 ready", "it speaks IMAP")]
    [InlineData("220 smtp", "no POP3 server")]
    [InlineData("-ERR [SYS/PERM] go away", "go away")]
    public async Task What_is_no_POP3_server_is_told(string greeting, string told)
    {
        using var server = Pop3Server.With();
        server.Greeting = greeting;

        Assert.Equal(JobOutcome.Failed, (await server.RunAsync()).Outcome);

        Assert.Contains(told, server.Problems, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("STAT", "+OK many\r\n")]
    [InlineData("UIDL", "+OK\r\nhello\r\n.\r\n")]
    [InlineData("LIST", "hm\r\n")]
    [InlineData("RETR 1", "what\r\n")]
    public async Task Nonsense_ends_the_job_and_not_the_program(string command, string answer)
    {
        using var server = Pop3Server.With(Head + "one\r\n");
        server.Instead = c => c == command ? answer : null;

        var report = await server.RunAsync();

        Assert.NotEqual(JobOutcome.Ok, report.Outcome);
        Assert.DoesNotContain(Reasons.Unexpected, server.Problems, StringComparison.Ordinal);
        Assert.Empty(server.Arrived());
    }
}
