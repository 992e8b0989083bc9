using System.Text.Json;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Tests;

/// <summary>The decision who is notified and when. Sending notifications is tested in tests/Servers.</summary>
public sealed class RunNoticesTests : CommandLineFixture
{
    public RunNoticesTests()
    {
        KeepsHistory = true;
        Outcomes = new() { ["alice"] = JobOutcome.Ok, ["bob"] = JobOutcome.Ok };
        RunJob = (job, _, _, _, _) => Task.FromResult(Reports.Of(job.Name, Outcomes[job.Name]));
    }

    private Dictionary<string, JobOutcome> Outcomes { get; }

    private string Told => Path.Combine(Directory, "told");

    private string States => Path.Combine(Directory, "states");

    [Fact]
    public async Task A_files_entries_are_told_of_all_jobs_and_a_jobs_of_its_own()
    {
        Outcomes["bob"] = JobOutcome.Failed;
        var file = Jobs("[{ command: 'cat >> told-all', on: always }]", "[{ command: 'cat >> told-alice', on: always }]");
        Assert.Equal(1, await RunAsync(file));
        Assert.Equal(["failure alice bob"], News("told-all"));
        Assert.Equal(["success alice"], News("told-alice"));
    }

    [Fact]
    public async Task A_failure_is_told_where_it_is_asked_for_and_a_dry_run_to_nobody()
    {
        var file = Jobs("[{ command: 'cat >> told' }]");
        await RunAsync(file);
        Assert.False(File.Exists(Told));
        Outcomes["alice"] = JobOutcome.Incomplete;
        Assert.Equal(0, await InvokeAsync("run", file, "--state", States, "--dry-run", "bob"));
        await RunAsync(file, "--dry-run");
        Assert.False(File.Exists(Told));
        await RunAsync(file);
        Assert.Equal(["failure alice bob"], News("told"));
    }

    [Fact]
    public async Task A_change_is_told_once_in_each_direction()
    {
        var file = Jobs("[{ command: 'cat >> told', on: change }]");
        foreach (var outcome in new[] { JobOutcome.Ok, JobOutcome.Failed, JobOutcome.Incomplete, JobOutcome.Ok, JobOutcome.Ok })
        {
            Outcomes["alice"] = outcome;
            await RunAsync(file);
        }

        Assert.Equal(["failure alice bob", "success alice bob"], News("told"));
    }

    [Theory]
    [InlineData(JobOutcome.Ok, "success alice bob")]
    [InlineData(JobOutcome.Failed, "failure alice bob")]
    public async Task Where_nobody_knows_what_was_before_it_may_be_a_change(JobOutcome outcome, string told)
    {
        var file = Jobs("[{ command: 'cat >> told', on: change }]");
        await RunAsync(file);
        var history = Path.Combine(States, "alice", "history");
        File.Delete(history);
        System.IO.Directory.CreateDirectory(history);
        Outcomes["alice"] = outcome;
        await RunAsync(file);
        Assert.Equal([told], News("told"));
        Assert.Contains("alice: the history could not be written: ", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Weekly_is_once_a_week()
    {
        var file = Jobs("[{ command: 'cat >> told', on: weekly }]");
        await RunAsync(file);
        await RunAsync(file);
        // The week may end between the two runs, so two notices are possible.
        Assert.InRange(News("told").Count, 1, 2);
    }

    private string Jobs(string notify, string ofAlice = "[]") => Write("told.yaml", $$"""
        jobs:
          - name: alice
            source: { url: "maildir:a" }
            target: { url: "maildir:b" }
            {{(ofAlice == "[]" ? "" : "notify: " + ofAlice.Replace(">> ", $">> {Directory}/", StringComparison.Ordinal))}}
          - name: bob
            source: { url: "maildir:c" }
            target: { url: "maildir:d" }
        notify: {{notify.Replace(">> ", $">> {Directory}/", StringComparison.Ordinal)}}
        """);

    private Task<int> RunAsync(string file, params string[] options) => InvokeAsync(["run", file, "--state", States, .. options]);

    /// <summary>The event and the job names of each notice.</summary>
    private List<string> News(string name)
    {
        var told = new List<string>();
        foreach (var document in File.ReadAllText(Path.Combine(Directory, name)).Split("}{").Select((d, i) => (i > 0 ? "{" : "") + d))
        {
            var news = JsonDocument.Parse(document.EndsWith("\n}", StringComparison.Ordinal) ? document : document + "}").RootElement;
            told.Add($"{news.GetProperty("event").GetString()} {string.Join(' ', news.GetProperty("jobs").EnumerateArray().Select(j => j.GetProperty("name").GetString()))}");
        }

        return told;
    }
}
