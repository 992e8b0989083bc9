using Imapsync.CommandLine.Output;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores;

namespace Imapsync.CommandLine.Tests;

/// <summary><c>--quiet</c> shows only problems, on standard error. Exit status, files and JSON output stay the same.</summary>
public sealed class QuietTests : CommandLineFixture
{
    public static TheoryData<string> Commands => ["run", "copy", "restore", "verify", "check"];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Where_all_is_well_nothing_is_told(string command)
    {
        RunJob = (job, _, onEvent, _, _) =>
        {
            onEvent(new JobStarted(job.Name, "a", "b", DryRun: false));
            onEvent(new NoteRaised(job.Name, null, "something to note"));
            return Task.FromResult(Reports.Of(job.Name) with { Notes = ["something to note"] });
        };
        Assert.Equal(0, await InvokeAsync([.. Line(command), "--quiet"]));
        Assert.Equal("", Error + Out);
        Assert.Equal(0, await InvokeAsync(Line(command)));
        Assert.NotEqual("", Error + Out);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task A_problem_is_told_on_standard_error_and_decides_the_exit_status(string command)
    {
        RunJob = (job, _, onEvent, _, _) => Task.FromResult(job.Name == "bob" ? Reports.Of(job.Name) : Fail(job.Name, onEvent));
        var line = Line(command);
        System.IO.Directory.Delete(Path.Combine(Directory, command == "check" ? "source" : "target"), recursive: true);
        var status = await InvokeAsync([.. line, "-q"]);
        var (told, shown) = (Error, Out);
        Assert.NotEqual(0, status);
        Assert.Equal("", shown);
        Assert.Contains(command is "verify" or "check" ? "there is no Maildir" : "over quota [quota]", told, StringComparison.Ordinal);
        Assert.DoesNotContain("bob", told, StringComparison.Ordinal);
        Assert.Equal(status, await InvokeAsync(line));

        static JobReport Fail(string name, Action<JobEvent> onEvent)
        {
            var problem = new Problem(FailureScope.Store, null, null, "quota", "over quota");
            onEvent(new ProblemFound(name, problem));
            return Reports.Of(name, JobOutcome.Failed, StopReason.None, problem);
        }
    }

    [Fact]
    public async Task Programs_and_logs_get_all_of_it()
    {
        RunJob = (job, _, onEvent, _, _) =>
        {
            onEvent(new JobFinished(job.Name, Reports.Of(job.Name)));
            return Task.FromResult(Reports.Of(job.Name));
        };
        var log = Path.Combine(Directory, "all.log");
        Assert.Equal(0, await InvokeAsync("run", JobFile, "--output", "json", "--quiet", "--log-file", log));
        Assert.Equal(2, Out.Split('\n').Count(l => l.Contains("\"event\":\"job_finished\"", StringComparison.Ordinal)));
        Assert.Equal("", Error);
        Assert.Contains("alice  all in place", await File.ReadAllTextAsync(log, TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData("json")]
    [InlineData("journald")]
    public async Task A_log_on_standard_error_has_problems_alone(string format)
    {
        Assert.Equal(0, await InvokeAsync([.. Line("check"), "--quiet", "--log-format", format]));
        Assert.Equal(0, await InvokeAsync([.. Line("verify"), "--quiet", "--log-format", format]));
        Assert.Equal(0, await InvokeAsync("run", JobFile, "--quiet", "--log-format", format));
        Assert.Equal("", Error + Out);
        RunJob = (job, _, _, _, _) => Task.FromResult(Reports.Of(job.Name, JobOutcome.Failed, StopReason.None, new Problem(FailureScope.Store, null, null, "quota", "over quota")));
        Assert.Equal(1, await InvokeAsync("run", JobFile, "alice", "--quiet", "--log-format", format));
        Assert.Single(Error.Split('\n'), l => l.Contains("over quota", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_differs_is_told_and_what_is_for_information_is_not()
    {
        var line = Line("verify");
        Deliver(Path.Combine(Directory, "target"), "extra");
        Assert.Equal(0, await InvokeAsync([.. line, "--quiet"]));
        Assert.Equal("", Error + Out);
        Deliver(Path.Combine(Directory, "source"), "new");
        Assert.Equal(3, await InvokeAsync([.. line, "--quiet"]));
        Assert.Equal("", Out);
        Assert.StartsWith("alice: missing: INBOX, UID ", Error, StringComparison.Ordinal);
        Assert.Equal(2, Error.TrimEnd().Split('\n').Length);
    }

    [Fact]
    public async Task Quiet_and_verbose_contradict_each_other()
    {
        Assert.Equal(2, await InvokeAsync("run", JobFile, "--quiet", "-v"));
        Assert.Contains("choose one", Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_many_jobs_those_that_are_not_in_place_and_the_sum_are_left()
    {
        List<JobReport> reports = [.. Enumerable.Range(0, 40).Select(i => Reports.Of($"u{i}"))];
        Assert.Empty(Summary.Lines(reports, isDryRun: false, hasReportFile: false, onlyProblems: true));
        reports[7] = Reports.Of("u7", JobOutcome.Incomplete);
        Assert.Equal(2, Summary.Lines(reports, isDryRun: false, hasReportFile: false, onlyProblems: true).Count());
    }

    /// <summary>Returns a command line that causes no problem: source and target are Maildirs with the same message.</summary>
    private string[] Line(string command)
    {
        OpenRealStore = StoreRegistry.Opener;
        foreach (var side in new[] { "source", "target" })
        {
            var place = Path.Combine(Directory, side);
            if (!System.IO.Directory.Exists(place))
                Deliver(place, "m1");
        }

        var file = Write("quiet.yaml", """
            jobs:
              - name: alice
                source: { url: "maildir:source" }
                target: { url: "maildir:target" }
                state: state
            """);
        return command switch
        {
            "copy" => ["copy", $"maildir:{Path.Combine(Directory, "source")}", $"maildir:{Path.Combine(Directory, "target")}"],
            "restore" => ["restore", file, "alice"],
            "run" => ["run", JobFile],
            _ => [command, file],
        };
    }
}
