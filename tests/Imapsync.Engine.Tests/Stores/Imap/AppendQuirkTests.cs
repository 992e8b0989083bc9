using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>Servers' replies to APPEND, and what then happens to the message and to the other messages.</summary>
public sealed class AppendQuirkTests
{
    private const string Multi = "IMAP4rev1 UIDPLUS LITERAL+ MULTIAPPEND";

    private readonly AppendServer server = new();

    private IEnumerable<string> Stored => server.Messages.Select(m => m.Body).Order(StringComparer.Ordinal);

    private IEnumerable<string> Appends => server.Commands.Where(c => c.StartsWith("APPEND", StringComparison.Ordinal));

    [Theory]
    [InlineData("IMAP4rev1 UIDPLUS LITERAL+")]
    [InlineData(Multi)]
    [InlineData("IMAP4rev1")]
    public async Task A_message_refused_after_its_literal_fails_alone_with_the_servers_words(string capabilities)
    {
        server.Capabilities = capabilities;
        server.OnAppend = (_, body) => body == "bad" ? new("NO not this one") : null;
        await using var run = await CopyAsync("one", "bad", "two");
        Assert.Equal(["one", "two"], Stored);
        Assert.EndsWith("NO not this one", run.Receipts[2].Failure!.Message, StringComparison.Ordinal);
        Assert.All([run.Receipts[1], run.Receipts[3]], r => Assert.True(r is { IsAccepted: true, Target.IsNone: false }));
    }

    [Fact]
    public async Task A_message_refused_before_the_continuation_fails_alone()
    {
        server.Capabilities = "IMAP4rev1 UIDPLUS";
        server.BeforeContinuation = size => size == 5 ? "NO [CANNOT] no" : null;
        await using var run = await CopyAsync("one", "wrong", "two");
        Assert.Equal(["one", "two"], Stored);
        Assert.Contains("[CANNOT] no", run.Receipts[2].Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_BAD_the_connection_is_replaced_and_the_others_arrive_once()
    {
        server.OnAppend = (_, body) => body == "bad" ? new("BAD Command Argument Error. 11") : null;
        await using var run = await CopyAsync("one", "bad", "two", "three");
        Assert.Contains("Command Argument Error. 11", run.Receipts[2].Failure!.Message, StringComparison.Ordinal);
        Assert.False(run.Receipts[2].Failure!.IsTransient);
        Assert.Equal(["one", "three", "two"], Stored);
        Assert.True(server.Connections > 1);
        await run.CopyAsync(("", "late"));
        Assert.EndsWith("{4}", Appends.Last(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_one_BAD_no_other_costs_a_connection()
    {
        server.OnAppend = (_, body) => body.StartsWith("bad", StringComparison.Ordinal) ? new("BAD no") : null;
        await using var run = await CopyAsync("bad 1", "bad 2", "bad 3", "good");
        Assert.Equal(3, run.Receipts.Values.Count(r => !r.IsAccepted));
        Assert.Equal(["good"], Stored);
        Assert.True(server.Connections <= 3, $"{server.Connections} connections");
    }

    [Fact]
    public async Task BYE_ends_the_connection_and_the_message_goes_on_the_next()
    {
        var byes = 0;
        server.OnAppend = (_, _) => byes++ == 0 ? new("") : null;
        await using var run = await CopyAsync("one");
        Assert.Equal(["one"], Stored);
        Assert.Equal(2, server.Connections);
    }

    [Fact]
    public async Task A_folder_that_is_gone_is_created_and_the_message_sent_again()
    {
        var isThere = false;
        server.OnCommand = c =>
        {
            isThere |= c == "CREATE \"INBOX\"";
            return null;
        };
        server.OnAppend = (_, _) => isThere ? null : new("NO [TRYCREATE] no such mailbox");
        await using var run = await CopyAsync("one");
        Assert.Equal(["one"], Stored);
    }

    [Theory]
    [InlineData("NO [OVERQUOTA] full")]
    [InlineData("NO Over quota")]
    [InlineData("NO Quota exceeded (mailbox for user is full)")]
    public async Task Over_quota_stops_the_job_and_keeps_what_was_accepted(string reply)
    {
        server.OnAppend = (_, body) => body == "big" ? new(reply) : null;
        await using var run = await AppendRun.OpenAsync(server);
        var stop = await Assert.ThrowsAsync<MailException>(() => run.CopyAsync(("", "one"), ("", "big"), ("", "two")));
        Assert.Equal((FailureKind.Quota, FailureScope.Store, false), (stop.Kind, stop.Scope, stop.IsTransient));
        Assert.True(run.Receipts[1].IsAccepted);
        Assert.Contains("one", Stored);
    }

    [Theory]
    [InlineData("NO [LIMIT] too many of something")]
    [InlineData("NO [TOOBIG] 10 MB at most")]
    public async Task A_limit_costs_the_message_that_passes_it(string reply)
    {
        server.OnAppend = (_, body) => body == "big" ? new(reply) : null;
        await using var run = await CopyAsync("one", "big", "two");
        Assert.Equal(["one", "two"], Stored);
        Assert.EndsWith(reply, run.Receipts[2].Failure!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("OK [APPENDUID 0 0] done")]
    [InlineData("OK done")]
    public async Task A_UID_that_is_not_told_is_looked_up_above_the_mark(string reply)
    {
        server.OnAppend = (_, _) => new(reply, Stores: true);
        await using var run = await CopyAsync("one", "second");
        Assert.Equal([new Uid(1), new Uid(2)], run.Receipts.Values.Select(r => r.Target));
    }

    [Theory]
    [InlineData("IMAP4rev1 UIDPLUS APPENDLIMIT=4")]
    [InlineData(Multi + " APPENDLIMIT=4")]
    [InlineData("IMAP4rev1 UIDPLUS APPENDLIMIT")]
    public async Task A_message_beyond_APPENDLIMIT_is_not_sent(string capabilities)
    {
        server.Capabilities = capabilities;
        server.OnCommand = c => c.StartsWith("STATUS", StringComparison.Ordinal) && c.Contains("APPENDLIMIT", StringComparison.Ordinal)
            ? "STATUS INBOX (UIDNEXT 1 UIDVALIDITY 7 MESSAGES 0 APPENDLIMIT 4)\nOK" : null;
        await using var run = await CopyAsync("too big", "one", "12345", "two");
        Assert.Equal(["one", "two"], Stored);
        Assert.All([run.Receipts[1], run.Receipts[3]], r => Assert.Contains("APPENDLIMIT", r.Failure!.Message, StringComparison.Ordinal));
        Assert.DoesNotContain(Appends, a => a.Contains("{7", StringComparison.Ordinal));
    }

    /// <summary>Some servers refuse STATUS of the selected folder. Some of them also leave UIDNEXT out of the answer to SELECT.</summary>
    [Theory]
    [InlineData("IMAP4rev1 UIDPLUS APPENDLIMIT", true)]
    [InlineData("IMAP4rev1 APPENDLIMIT", true)]
    [InlineData("IMAP4rev1 UIDPLUS", false)]
    [InlineData("IMAP4rev1", false)]
    [InlineData(Multi + " APPENDLIMIT", false)]
    public async Task A_refused_STATUS_does_not_keep_mail_out(string capabilities, bool tellsUidNext)
    {
        server.Capabilities = capabilities;
        server.OnCommand = c => c.StartsWith("STATUS", StringComparison.Ordinal) ? "NO STATUS is not for a selected folder"
            : c.StartsWith("SELECT", StringComparison.Ordinal) && !tellsUidNext ? "0 EXISTS\nOK [UIDVALIDITY 7] x\nOK [PERMANENTFLAGS (\\Seen \\*)] x\nOK [READ-WRITE] done"
            : null;
        await using var run = await CopyAsync("one", "two");
        Assert.Equal(["one", "two"], Stored);
        Assert.Equal([new Uid(1), new Uid(2)], run.Receipts.Values.Select(r => r.Target));
    }

    [Fact]
    public async Task Yahoo_gets_a_final_CRLF_where_it_refuses_a_message_without()
    {
        server.OnAppend = (_, body) => body.EndsWith("\r\n", StringComparison.Ordinal) ? null : new("BAD [CLIENTBUG] Additional arguments found after last expected argument");
        await using var run = await CopyAsync("one\r\n", "two");
        Assert.Equal(["one\r\n", "two\r\n"], Stored);
        Assert.Null(run.Receipts[1].Note);
        Assert.Contains("CRLF added", run.Receipts[2].Note, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("NO Message contains NUL characters", "A: b\r\n\r\nx\0y\r\n", "A: b\r\n\r\nx\u0080y\r\n")]
    [InlineData("NO Message contains bare newlines", "A: b\n\nx\ny", "A: b\r\n\r\nx\r\ny")]
    [InlineData("NO Message contains invalid header", "A: b\r\n c\r\nnone\r\n\r\nnone\r\n", "A: b\r\n c\r\nX-Invalid-Header: none\r\n\r\nnone\r\n")]
    public async Task A_malformed_message_is_repaired_by_consent_only(string reply, string body, string repaired)
    {
        server.OnAppend = (_, b) => b == body ? new(reply) : null;
        await using (var strict = await CopyAsync(body, "A: c\r\n\r\n"))
        {
            Assert.EndsWith(reply, strict.Receipts[1].Failure!.Message, StringComparison.Ordinal);
            Assert.Equal(["A: c\r\n\r\n"], Stored);
        }

        await using var lenient = await AppendRun.OpenAsync(server, repair: true);
        await lenient.CopyAsync(("", body));
        Assert.Equal(repaired, server.Messages[^1].Body);
        Assert.StartsWith("changed because the server refuses it", lenient.Receipts[1].Note, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_connection_is_replaced_before_the_tenth_refusal()
    {
        var (refusals, most) = (0, 0);
        server.Greeting = "The Microsoft Exchange IMAP4 service is ready.";
        server.OnCommand = c =>
        {
            refusals = c.StartsWith("SELECT", StringComparison.Ordinal) ? 0 : refusals;
            return null;
        };
        server.OnAppend = (_, body) =>
        {
            if (!body.StartsWith("bad", StringComparison.Ordinal))
                return null;
            most = Math.Max(most, ++refusals);
            // The texts differ, since a series of refusals with the same text would be taken for a refusal of the whole mailbox.
            return new($"NO Command Argument Error. {body[4..]}");
        };
        await using var run = await CopyAsync([.. Enumerable.Range(1, 30).Select(i => $"bad {i}"), "good"]);
        Assert.Equal(["good"], Stored);
        Assert.Equal(30, run.Receipts.Values.Count(r => !r.IsAccepted));
        Assert.InRange(most, 5, 9);
    }

    [Theory]
    [InlineData("IMAP4rev1 UIDPLUS LITERAL+")]
    [InlineData(Multi)]
    public async Task A_message_that_ends_the_connection_each_time_is_given_up(string capabilities)
    {
        server.Capabilities = capabilities;
        var broken = 0;
        server.OnAppend = (_, body) =>
        {
            if (body.Length > 0)
                return null;
            broken++;
            return new("");
        };
        await using var run = await CopyAsync("one", "", "two");
        Assert.Contains("connection ended each time", run.Receipts[2].Failure!.Message, StringComparison.Ordinal);
        Assert.True(run.Receipts[1].IsAccepted && run.Receipts[3].IsAccepted);
        // The message is sent once together with others, then alone until it is given up.
        Assert.Equal(5, broken);
    }

    [Fact]
    public async Task After_a_cut_what_was_under_way_goes_alone_and_what_comes_then_together_again()
    {
        server.Capabilities = Multi;
        var appends = 0;
        server.OnAppend = (_, _) => ++appends == 1 ? new("") : null;
        await using var run = await CopyAsync("one", "two", "three");
        Assert.Equal(1 + 3, server.Commands.Count(c => c.StartsWith("APPEND", StringComparison.Ordinal)));

        server.Commands.Clear();
        // The three messages in flight when the connection broke are sent with one APPEND each, the ten new ones with one MULTIAPPEND.
        await run.CopyAsync([("", "one"), ("", "two"), ("", "three"), .. Enumerable.Range(0, 10).Select(i => ("", $"more {i}"))]);
        Assert.Equal(3 + 1, server.Commands.Count(c => c.StartsWith("APPEND", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_a_refused_window_left_behind_is_looked_for_before_anything_is_sent_again()
    {
        server.Capabilities = Multi;
        server.OnAppend = (_, body) => server.Messages.Count == 0 ? new("NO failed", Stores: true) : null;
        await using var run = await AppendRun.OpenAsync(server);
        await using var folder = await run.Store.OpenForWritingAsync(FolderPath.Inbox, TestContext.Current.CancellationToken);
        var lost = await Assert.ThrowsAsync<MailException>(() => folder.AppendAsync(AppendRun.Window(("", "one"), ("", "two")), TestContext.Current.CancellationToken));
        Assert.Equal((FailureScope.Folder, true), (lost.Scope, lost.IsTransient));
    }

    [Theory]
    [InlineData(950, true)]
    [InlineData(500, false)]
    public async Task Quota_is_told_with_a_warning_when_it_is_nearly_full(int used, bool isWarning)
    {
        server.Capabilities = "IMAP4rev1 QUOTA";
        server.OnCommand = c => c.StartsWith("GETQUOTAROOT", StringComparison.Ordinal) ? $"QUOTAROOT INBOX \"\"\nQUOTA \"\" (STORAGE {used} 1000)\nOK" : null;
        await using var run = await AppendRun.OpenAsync(server);
        var fact = (await run.Store.DescribeAsync(TestContext.Current.CancellationToken)).Single(f => f.Name == "Quota STORAGE");
        Assert.Equal(($"{used} of 1000 KiB used ({used / 10}%)", isWarning), (fact.Value, fact.IsWarning));
    }

    private async Task<AppendRun> CopyAsync(params string[] bodies)
    {
        var run = await AppendRun.OpenAsync(server);
        await run.CopyAsync([.. bodies.Select(b => ("", b))]);
        return run;
    }
}
