using System.Collections.Concurrent;
using System.Text.Json;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Checking;
using Imapsync.Engine.History;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Tests;

/// <summary>Many jobs at once: the order in which they start, and the output and reports about them.</summary>
public sealed class BulkTests : CommandLineFixture
{
    private static readonly DateTimeOffset Now = Reports.Start;

    [Fact]
    public void Hosts_take_turns_and_a_job_that_has_no_connection_left_lets_others_pass()
    {
        List<JobDefinition> jobs =
        [
            .. Enumerable.Range(0, 5).Select(i => Job($"slow{i}", "slow", most: 2)), .. Enumerable.Range(0, 3).Select(i => Job($"quick{i}", "quick", most: null)),
        ];
        var order = new JobOrder(jobs);
        List<string> begun = [.. Enumerable.Range(0, 6).Select(_ => order.Next()).OfType<int>().Select(i => jobs[i].Name)];
        Assert.Equal(["slow0", "quick0", "slow1", "quick1", "quick2"], begun);
        Assert.Null(order.Next());
        order.Ended(jobs[0]);
        Assert.Equal("slow2", jobs[order.Next()!.Value].Name);
        Assert.Null(order.Next());
    }

    [Fact]
    public void A_job_that_needs_more_than_its_host_allows_is_begun_all_the_same_and_says_so_itself()
    {
        var job = Job("both", "one", most: 1);
        var order = new JobOrder([job with { Target = job.Source }]);
        Assert.Equal(0, order.Next());
    }

    [Fact]
    public void One_line_tells_how_far_all_jobs_are()
    {
        var totals = new JobTotals(200, Now);
        var running = new JobProgress("c", Now);
        var queued = new JobProgress("d", Now);
        queued.Apply(new Queued("d", "all connections to h are in use"), Now);
        totals.Apply(new JobFinished("a", Reports.Of("a")));
        totals.Apply(new JobFinished("b", Reports.Of("b", JobOutcome.Failed)));
        totals.Apply(new ProblemFound("b", new Problem(FailureScope.Store, null, null, "connect", "gone")));
        totals.Apply(new MessagesCopied("c", FolderPath.Inbox, 600, 6_000_000));
        Assert.Equal(
            "2 of 200 jobs finished, 1 at work, 197 waiting, 1 not complete, 1 problem, 60 messages/s, 600.0 kB/s, about 10 min 56 s left",
            totals.Line([running, queued], Now.AddSeconds(10)));
    }

    [Fact]
    public void Of_many_jobs_only_those_that_are_not_in_place_have_a_line()
    {
        List<JobReport> reports = [.. Enumerable.Range(0, 100).Select(i => Reports.Of($"u{i}", i == 7 ? JobOutcome.Failed : JobOutcome.Ok, i == 7 ? StopReason.Connect : StopReason.None))];
        Assert.Equal(
        [
            "u7  FAILED, cannot connect · 12 s",
            "100 jobs: 99 all in place, 1 failed · 0 messages: nothing to do · 12 s",
        ],
        Summary.Lines(reports, isDryRun: false, hasReportFile: false));
    }

    [Fact]
    public async Task The_report_as_CSV_has_a_row_for_each_job_that_no_spreadsheet_takes_for_a_formula()
    {
        RunJob = (job, _, _, _, _) => Task.FromResult(job.Name == "alice"
            ? Reports.Full()
            : Reports.Of(job.Name, JobOutcome.Failed, StopReason.Authentication, new Problem(FailureScope.Store, null, null, "authentication", "=HYPERLINK(\"x\"), \"no\"")));
        Assert.Equal(12, await InvokeAsync("run", JobFile, "--report-csv", Path.Combine(Directory, "done.csv")));
        Assert.Equal(
            "name,outcome,exit_status,folders,source_messages,copied,already_present,adopted,skipped,failed,flags_updated,deleted,bytes,seconds,problem\r\n"
            + "alice,incomplete,3,1,10,3,5,1,1,1,2,4,4096,12.0,\"Sent Items, UID 17: over\u001b[2J quota [refused]\"\r\n"
            + "bob,failed,12,0,0,0,0,0,0,0,0,0,0,12.0,\"'=HYPERLINK(\"\"x\"\"), \"\"no\"\" [authentication]\"\r\n",
            await File.ReadAllTextAsync(Path.Combine(Directory, "done.csv"), TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_row_that_makes_no_job_costs_only_itself_and_decides_the_exit_status(int bad)
    {
        var file = await WriteRowsAsync(bad);
        var run = new ConcurrentBag<string>();
        RunJob = (job, _, _, _, _) =>
        {
            run.Add(job.Name);
            return Task.FromResult(Reports.Of(job.Name));
        };
        var (report, csv) = (Path.Combine(Directory, "report.json"), Path.Combine(Directory, "done.csv"));
        Assert.Equal(2, await InvokeAsync("run", file, "--report", report, "--report-csv", csv));
        Assert.Equal(Enumerable.Range(0, 4).Where(i => i != bad).Select(i => $"u{i}"), run.Order(StringComparer.Ordinal));
        Assert.Contains($"accounts.csv:{bad + 2}:2: the cell of 'password' is empty", Error, StringComparison.Ordinal);
        Assert.Contains($"accounts.csv:{bad + 2}  NOT RUN, its row makes no job\n", Error, StringComparison.Ordinal);
        using var written = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
        var told = written.RootElement.GetProperty("jobs").EnumerateArray().Single(j => j.GetProperty("name").GetString() == $"accounts.csv:{bad + 2}");
        Assert.Equal("failed", told.GetProperty("outcome").GetString());
        Assert.Contains($"accounts.csv:{bad + 2},failed,2,", await File.ReadAllTextAsync(csv, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status")]
    [InlineData("report")]
    [InlineData("folders")]
    public async Task Commands_that_only_look_go_past_a_row_that_makes_no_job(string command)
    {
        OpenStore = endpoint => new ListedStore(endpoint.Display);
        Assert.Equal(command == "status" ? 14 : 2, await InvokeAsync(command, await WriteRowsAsync(1)));
        Assert.Contains("accounts.csv:3:2: the cell of 'password' is empty", Error, StringComparison.Ordinal);
        Assert.Contains("u3", Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Programs_and_monitors_are_told_of_a_row_that_makes_no_job()
    {
        KeepsHistory = true;
        var file = await WriteRowsAsync(1);
        var state = Path.Combine(Directory, "states");
        Assert.Equal(2, await InvokeAsync("run", file, "--state", state, "--output", "json"));
        Assert.Contains("\"event\":\"job_finished\"", Out.Split('\n').Single(l => l.Contains("\"job\":\"accounts.csv:3\"", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(1, await InvokeAsync("status", file, "--state", state, "--output", "nagios"));
        Assert.Contains("IMAPSYNC WARNING - 3 jobs all in place, rows that make no job: 1 | ", Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Verify_tells_of_a_row_that_makes_no_job_in_its_text_its_report_and_to_programs()
    {
        OpenStore = endpoint => new ListedStore(endpoint.Display);
        var file = await WriteRowsAsync(1);
        var report = Path.Combine(Directory, "verified.json");
        Assert.Equal(2, await InvokeAsync("verify", file, "--report", report));
        Assert.Contains("accounts.csv:3  NOT RUN, its row makes no job\n", Out, StringComparison.Ordinal);
        using var written = JsonDocument.Parse(await File.ReadAllTextAsync(report, TestContext.Current.CancellationToken));
        AssertTold(written.RootElement);
        Assert.Equal(2, await InvokeAsync("verify", file, "--output", "json"));
        using var summary = JsonDocument.Parse(Out.Split('\n').Single(l => l.StartsWith("{\"event\":\"summary\"", StringComparison.Ordinal)));
        AssertTold(summary.RootElement);

        static void AssertTold(JsonElement document)
        {
            var jobs = document.GetProperty("jobs").EnumerateArray().ToList();
            Assert.Equal(["accounts.csv:3", "u0", "u2", "u3"], jobs.Select(j => j.GetProperty("name").GetString()).Order(StringComparer.Ordinal));
            var row = jobs.Single(j => j.GetProperty("name").GetString() == "accounts.csv:3");
            Assert.Equal("failed", row.GetProperty("outcome").GetString());
            Assert.Equal("the cell of 'password' is empty", row.GetProperty("problems")[0].GetProperty("text").GetString()![..31]);
        }
    }

    [Fact]
    public async Task Watch_tells_programs_of_a_row_that_makes_no_job_and_ends_with_its_status()
    {
        // All log-ins are refused, so the jobs of the three good rows stop watching. Their exit status would be 12, but the bad row makes
        // it 2.
        RunJob = (job, _, _, _, _) => Task.FromResult(Reports.Of(job.Name, JobOutcome.Failed, StopReason.Authentication));
        Assert.Equal(2, await InvokeAsync("watch", await WriteRowsAsync(1), "--output", "json"));
        using var told = JsonDocument.Parse(Out.Split('\n').Single(l => l.Contains("\"job\":\"accounts.csv:3\"", StringComparison.Ordinal)));
        Assert.Equal("job_finished", told.RootElement.GetProperty("event").GetString());
        Assert.Equal("failed", told.RootElement.GetProperty("report").GetProperty("outcome").GetString());
    }

    [Theory]
    [InlineData("check")]
    [InlineData("status")]
    [InlineData("folders")]
    public async Task A_document_about_jobs_lists_the_rows_that_make_none(string command)
    {
        OpenStore = endpoint => new ListedStore(endpoint.Display);
        await InvokeAsync(command, await WriteRowsAsync(0, 2), "--output", "json");
        using var document = JsonDocument.Parse(Out);
        Assert.Equal(2, document.RootElement.GetProperty("jobs").GetArrayLength());
        Assert.Equal(
            ["accounts.csv:2:2: the cell of 'password' is empty", "accounts.csv:4:2: the cell of 'password' is empty"],
            document.RootElement.GetProperty("bad_rows").EnumerateArray().Select(r => r.GetString()!.Split(';')[0]));
    }

    [Fact]
    public async Task The_page_of_the_history_lists_the_rows_that_make_no_job()
    {
        var page = Path.Combine(Directory, "report.html");
        Assert.Equal(2, await InvokeAsync("report", await WriteRowsAsync(1), "--html", page));
        Assert.Contains("accounts.csv:3:2: the cell of &#39;password&#39; is empty", await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run")]
    [InlineData("watch")]
    [InlineData("check")]
    [InlineData("folders")]
    [InlineData("verify")]
    [InlineData("status")]
    [InlineData("report")]
    [InlineData("restore")]
    [InlineData("snapshots")]
    [InlineData("login")]
    [InlineData("logout")]
    [InlineData("find", "word")]
    [InlineData("show", "INBOX:1700000000.12")]
    [InlineData("export", "INBOX:1700000000.12", "--mbox", "out.mbox")]
    [InlineData("serve", "--port", "0")]
    public async Task A_job_that_is_named_is_worked_on_whatever_other_rows_are_like(string command, params string[] more)
    {
        RunJob = (job, _, _, _, _) => Task.FromResult(Reports.Of(job.Name, JobOutcome.Failed, StopReason.Authentication));
        var file = await WriteRowsAsync(2);
        await InvokeAsync([command, file, "u1", .. more]);
        Assert.DoesNotContain("accounts.csv:", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("there is no job", Error, StringComparison.Ordinal);
        Assert.Equal(2, await InvokeAsync([command, file, "u2", .. more]));
        Assert.Contains("there is no job 'u2' in this file", Error, StringComparison.Ordinal);
        Assert.Contains("accounts.csv:4:2: the cell of 'password' is empty", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_asked_for_by_name_runs_whatever_other_rows_are_like()
    {
        var file = await WriteRowsAsync(2);
        Assert.Equal(0, await InvokeAsync("run", file, "u1"));
        Assert.DoesNotContain("accounts.csv:", Error, StringComparison.Ordinal);
        Assert.Equal(2, await InvokeAsync("run", file, "u2"));
        Assert.Contains("there is no job 'u2' in this file", Error, StringComparison.Ordinal);
        Assert.Contains("accounts.csv:4:2: the cell of 'password' is empty", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_no_row_makes_a_job_nothing_is_run()
    {
        RunJob = (_, _, _, _, _) => throw new InvalidOperationException("it was run");
        var file = await WriteRowsAsync(0, 1, 2, 3);
        Assert.Equal(2, await InvokeAsync("run", file));
        Assert.Equal(4, Error.Split("the cell of 'password' is empty").Length - 1);
        Assert.DoesNotContain("FAILED", Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ok", "--only-failed", false)]
    [InlineData("ok", "--only-unfinished", false)]
    [InlineData("failed", "--only-failed", true)]
    [InlineData("incomplete", "--only-failed", true)]
    [InlineData("cancelled", "--only-failed", false)]
    [InlineData("cancelled", "--only-unfinished", true)]
    [InlineData("killed", "--only-failed", false)]
    [InlineData("killed", "--only-unfinished", true)]
    [InlineData("never", "--only-failed", false)]
    [InlineData("never", "--only-unfinished", true)]
    [InlineData("unreadable", "--only-failed", true)]
    [InlineData("unreadable", "--only-unfinished", true)]
    public async Task Jobs_are_chosen_by_how_their_last_run_ended(string last, string option, bool isRun)
    {
        KeepsHistory = true;
        var state = Path.Combine(Directory, "states");
        var history = Path.Combine(state, "alice", "history");
        await InvokeAsync("run", JobFile, "bob", "--state", state);
        if (last != "never")
            await InvokeAsync("run", JobFile, "alice", "--state", state);
        switch (last)
        {
            case "killed":
                await new JobHistory(Path.GetDirectoryName(history)!, new LongAgo()).BeginAsync(HistoryKind.Run, makesState: true, TestContext.Current.CancellationToken);
                break;
            case "unreadable":
                File.Delete(history);
                System.IO.Directory.CreateDirectory(history);
                break;
            case "failed" or "incomplete" or "cancelled":
                RunJob = (job, _, _, _, _) => Task.FromResult(Reports.Of(job.Name, Enum.Parse<JobOutcome>(last, ignoreCase: true)));
                await InvokeAsync("run", JobFile, "alice", "--state", state);
                break;
        }

        var run = new ConcurrentBag<string>();
        RunJob = (job, _, _, _, _) =>
        {
            run.Add(job.Name);
            return Task.FromResult(Reports.Of(job.Name));
        };
        var status = await InvokeAsync("run", JobFile, "--state", state, option);
        Assert.Equal(isRun ? ["alice"] : [], run);
        Assert.Equal(0, status);
        if (isRun)
            Assert.Contains("1 of 2 jobs ", Error, StringComparison.Ordinal);
        else if (last == "ok")
            Assert.Contains(option == "--only-failed" ? "Nothing to run: no job's last run failed.\n" : "Nothing to run: every job's last run ended with everything in place.\n", Error, StringComparison.Ordinal);
        else
            Assert.Contains("Nothing to run: no job's last run failed. Jobs that never ran, or whose last run did not end: 1; --only-unfinished runs them.\n", Error, StringComparison.Ordinal);
        Assert.DoesNotContain("0 jobs", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_whose_beginning_could_not_be_noted_is_the_last_all_the_same()
    {
        KeepsHistory = true;
        var state = Path.Combine(Directory, "states");
        var history = Path.Combine(state, "alice", "history");
        await InvokeAsync("run", JobFile, "alice", "--state", state);
        File.Move(history, history + "-kept");
        System.IO.Directory.CreateDirectory(history);
        RunJob = (job, _, _, _, _) =>
        {
            System.IO.Directory.Delete(history);
            File.Move(history + "-kept", history);
            return Task.FromResult(Reports.Of(job.Name, JobOutcome.Failed));
        };
        await InvokeAsync("run", JobFile, "alice", "--state", state);
        var entries = await new JobHistory(Path.GetDirectoryName(history)!, TimeProvider.System).ReadAsync(TestContext.Current.CancellationToken);
        Assert.Equal([JobOutcome.Ok, JobOutcome.Failed], entries.Select(e => e.Outcome));
        Assert.All(entries, e => Assert.NotNull(e.Ended));
    }

    [Fact]
    public void An_estimate_keeps_to_the_slowest_of_account_host_and_number_at_once()
    {
        var size = new MailboxSize(1, 6000, 0, 60_000_000, 0) { MessagesLeft = 6000, BytesLeft = 60_000_000 };
        List<(JobDefinition, MailboxSize)> accounts = [.. Enumerable.Range(0, 10).Select(i => (Job($"u{i}", "h", most: 50), size))];
        Assert.Equal(TimeSpan.FromSeconds(120 * 10 / 5), DurationEstimate.Of(accounts, 5));
        Assert.Equal(TimeSpan.FromSeconds(120), DurationEstimate.Of(accounts, 50));
        List<(JobDefinition, MailboxSize)> paced = [.. accounts.Select(a => (a.Item1 with { Source = ((ImapEndpoint)a.Item1.Source) with { HostLimits = new HostLimits("h") { MessagesPerSecond = 10 } } }, size))];
        Assert.Equal(TimeSpan.FromSeconds(6000), DurationEstimate.Of(paced, 50));
    }

    /// <summary>Writes an account list with four rows and a job file for it. Returns the path of the job file.</summary>
    /// <param name="bad">The rows that get no password, counted from 0.</param>
    private async Task<string> WriteRowsAsync(params int[] bad)
    {
        await File.WriteAllTextAsync(
            Path.Combine(Directory, "accounts.csv"), "user,password\n" + string.Concat(Enumerable.Range(0, 4).Select(i => $"u{i},{(bad.Contains(i) ? "" : "secret")}\n")), TestContext.Current.CancellationToken);
        var file = Path.Combine(Directory, "bulk.yaml");
        await File.WriteAllTextAsync(file, """
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imaps://{user}@imap.example.com", password: "{password}" }
                target: { url: "maildir:backup/{user}" }
            """, TestContext.Current.CancellationToken);
        return file;
    }

    private static JobDefinition Job(string name, string host, int? most)
    {
        var limits = most is null ? null : new HostLimits(host) { Connections = most };
        return new JobDefinition(name, new ImapEndpoint(host, 993, TlsMode.Implicit, name) { HostLimits = limits }, new MaildirEndpoint("/backup/" + name)) { StateDirectory = "/state/" + name };
    }

    /// <summary>A clock so far in the past that no process alive now can have begun a run at that time.</summary>
    private sealed class LongAgo : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now.AddYears(-20);
    }
}
