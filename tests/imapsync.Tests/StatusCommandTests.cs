using System.Text.Json;
using System.Text.RegularExpressions;
using Imapsync.Engine.History;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Tests;

public sealed partial class StatusCommandTests : CommandLineFixture
{
    [Theory]
    [InlineData("text", 14)]
    [InlineData("json", 14)]
    [InlineData("prometheus", 14)]
    [InlineData("nagios", 2)]
    public async Task Jobs_that_never_ran_are_too_old(string output, int status)
    {
        Assert.Equal(status, await StatusAsync("--output", output));
        Assert.Equal(status, await StatusAsync("--output", output, "--max-age", "365d"));
        Assert.False(System.IO.Directory.Exists(States));
    }

    [Theory]
    [InlineData("text", 0, 3, 14)]
    [InlineData("json", 0, 3, 14)]
    [InlineData("prometheus", 0, 3, 14)]
    [InlineData("nagios", 0, 1, 2)]
    public async Task The_exit_status_says_how_jobs_stand(string output, int good, int bad, int old)
    {
        await RanAsync("alice", hoursAgo: 2, JobOutcome.Ok);
        await RanAsync("bob", hoursAgo: 30, JobOutcome.Ok);
        Assert.Equal(good, await StatusAsync("--output", output));
        Assert.Equal(good, await StatusAsync("--output", output, "--max-age", "31h"));
        Assert.Equal(old, await StatusAsync("--output", output, "--max-age", "26h"));
        Assert.Equal(good, await InvokeAsync("status", JobFile, "alice", "--state", States, "--output", output, "--max-age", "26h"));

        await RanAsync("alice", hoursAgo: 1, JobOutcome.Incomplete);
        Assert.Equal(bad, await StatusAsync("--output", output, "--max-age", "31h"));
    }

    [Fact]
    public async Task A_mistake_is_unknown_to_Nagios()
    {
        Assert.Equal(3, await InvokeAsync("status", JobFile + "x", "--output", "nagios"));
        Assert.StartsWith("IMAPSYNC UNKNOWN - ", Out, StringComparison.Ordinal);
        Assert.Equal(2, await InvokeAsync("status", JobFile + "x"));
        Assert.Equal(2, await InvokeAsync("status", JobFile, "--max-age", "soon"));
    }

    [Fact]
    public async Task It_is_told_in_words_and_as_JSON()
    {
        await RanAsync("alice", hoursAgo: 2, JobOutcome.Ok);
        await RanAsync("alice", hoursAgo: 1, JobOutcome.Failed, StopReason.Authentication);
        await RanAsync("bob", hoursAgo: -7, JobOutcome.Ok);

        Assert.Equal(14, await StatusAsync());
        Assert.Contains("alice  FAILED, login refused · ", Out, StringComparison.Ordinal);
        Assert.Contains("last success ", Out, StringComparison.Ordinal);
        Assert.Contains("the clock has gone back", Out, StringComparison.Ordinal);

        var before = Out.Length;
        Assert.Equal(14, await StatusAsync("--output", "json"));
        var jobs = JsonDocument.Parse(Out[before..]).RootElement.GetProperty("jobs");
        Assert.Equal(("bad", "failed"), (jobs[0].GetProperty("state").GetString(), jobs[0].GetProperty("last_run").GetProperty("outcome").GetString()));
        Assert.InRange(jobs[0].GetProperty("age_seconds").GetDouble(), 7100, 7500);
        Assert.Equal(("old", true), (jobs[1].GetProperty("state").GetString(), jobs[1].GetProperty("clock_went_back").GetBoolean()));
    }

    [Fact]
    public async Task The_figures_are_such_as_Prometheus_reads()
    {
        await RanAsync("alice", hoursAgo: 2, JobOutcome.Ok);
        await StatusAsync("--output", "prometheus");

        var lines = Out.TrimEnd('\n').Split('\n');
        Assert.All(lines, l => Assert.Matches(MetricLine(), l));
        Assert.Contains("imapsync_job_last_run_success{job=\"alice\"} 1", lines);
        Assert.Contains("imapsync_job_last_run_success{job=\"bob\"} 0", lines);
        Assert.Contains("imapsync_job_last_success_timestamp_seconds{job=\"bob\"} 0", lines);
        Assert.Contains("imapsync_job_last_run_copied_messages{job=\"alice\"} 3", lines);
        foreach (var name in lines.Where(l => l[0] != '#').Select(l => l.Split('{')[0]).Distinct())
            Assert.Single(lines, l => l == $"# TYPE {name} gauge");
    }

    [Fact]
    public async Task A_run_writes_the_figures_of_every_job_of_the_file_for_all_to_read()
    {
        await RanAsync("bob", hoursAgo: 2, JobOutcome.Ok);
        var file = Path.Combine(Directory, "imapsync.prom");
        Assert.Equal(0, await InvokeAsync("run", JobFile, "alice", "--state", States, "--metrics-file", file));
        Assert.Contains("imapsync_job_last_run_success{job=\"bob\"} 1", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken), StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.True(File.GetUnixFileMode(file).HasFlag(UnixFileMode.OtherRead));
        Assert.Equal(0, await InvokeAsync("run", JobFile, "alice", "--state", States, "--metrics-file", Path.Combine(Directory, "nowhere", "x")));
        Assert.Contains("could not be written", Error, StringComparison.Ordinal);

        File.Delete(file);
        Assert.Equal(0, await InvokeAsync("run", JobFile, "alice", "--state", States, "--metrics-file", file, "--dry-run"));
        Assert.False(File.Exists(file));
    }

    private string States => Path.Combine(Directory, "states");

    private Task<int> StatusAsync(params string[] options) => InvokeAsync(["status", JobFile, "--state", States, .. options]);

    private async Task RanAsync(string job, int hoursAgo, JobOutcome outcome, StopReason stop = StopReason.None)
    {
        var ended = TimeProvider.System.GetUtcNow() - TimeSpan.FromHours(hoursAgo);
        var history = new JobHistory(Path.Combine(States, job), TimeProvider.System);
        var begun = await history.BeginAsync(HistoryKind.Run, makesState: true, TestContext.Current.CancellationToken);
        var report = Reports.Of(job, outcome, stop) with { Started = ended, Finished = ended, Totals = new FolderCounts { SourceMessages = 10, Copied = 3, AlreadyPresent = 7 } };
        await history.EndAsync((begun! with { Began = ended - TimeSpan.FromMinutes(1) }).End(report, 0), TestContext.Current.CancellationToken);
    }

    [GeneratedRegex("""^(?:# (?:HELP|TYPE) imapsync_job_\w+ .+|imapsync_job_\w+\{job="\w+"\} [0-9.]+)$""", RegexOptions.None, 60_000)]
    private static partial Regex MetricLine();
}
