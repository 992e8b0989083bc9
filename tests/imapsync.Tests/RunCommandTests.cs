using System.Text.Json;
using Imapsync.Engine.Progress;

namespace Imapsync.CommandLine.Tests;

public sealed class RunCommandTests : CommandLineFixture
{
    [Fact]
    public async Task Jobs_run_as_they_were_chosen()
    {
        var seen = new List<(string Name, bool DryRun, string State)>();
        RunJob = (job, options, _, _, _) =>
        {
            seen.Add((job.Name, options.DryRun, job.StateDirectory));
            return Task.FromResult(Reports.Of(job.Name));
        };
        Assert.Equal(0, await InvokeAsync("run", JobFile, "bob", "--dry-run", "--state", "/states"));
        Assert.Equal([("bob", true, "/states/bob")], seen);
        Assert.Contains("bob  all in place", Error, StringComparison.Ordinal);
        Assert.Empty(Out);
    }

    [Fact]
    public async Task No_more_jobs_run_at_once_than_allowed()
    {
        int running = 0, most = 0;
        var both = new TaskCompletionSource();
        RunJob = async (job, _, _, _, _) =>
        {
            most = Math.Max(most, Interlocked.Increment(ref running));
            if (most == 2)
                both.TrySetResult();
            await both.Task;
            Interlocked.Decrement(ref running);
            return Reports.Of(job.Name);
        };
        Assert.Equal(0, await InvokeAsync("run", JobFile, "--parallel", "2"));
        Assert.Equal(2, most);
        most = 0;
        Assert.Equal(0, await InvokeAsync("run", JobFile, "--parallel", "1"));
        Assert.Equal(1, most);
    }

    [Fact]
    public async Task The_worst_job_decides_and_every_job_is_in_the_report()
    {
        RunJob = (job, _, _, _, _) => Task.FromResult(job.Name == "alice" ? Reports.Full() : Reports.Of(job.Name, JobOutcome.Failed, StopReason.Authentication));
        var report = Path.Combine(Directory, "report.json");
        Assert.Equal(12, await InvokeAsync("run", JobFile, "--report", report));
        using var json = JsonDocument.Parse(await File.ReadAllTextAsync(report));
        Assert.Equal(["alice", "bob"], json.RootElement.GetProperty("jobs").EnumerateArray().Select(j => j.GetProperty("name").GetString()));
        Assert.Equal([JobFile, report], System.IO.Directory.GetFiles(Directory).Order());
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(report));
    }

    [Fact]
    public async Task A_defect_in_one_job_is_reported_and_the_others_run_on()
    {
        RunJob = (job, _, _, _, _) => job.Name == "alice" ? throw new InvalidOperationException("oops") : Task.FromResult(Reports.Of(job.Name));
        var report = Path.Combine(Directory, "report.json");
        Assert.Equal(1, await InvokeAsync("run", JobFile, "--report", report));
        Assert.Contains("oops", await File.ReadAllTextAsync(report), StringComparison.Ordinal);
        Assert.Contains("bob    all in place", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_is_told_before_the_run()
    {
        RunJob = (_, _, _, _, _) => throw new InvalidOperationException("it ran");
        Assert.Equal(2, await InvokeAsync("run", JobFile, "--report", Path.Combine(Directory, "none", "report.json")));
        Assert.Contains("there is no such directory", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_report_that_cannot_be_written_in_the_end_fails_the_run()
    {
        var report = Path.Combine(Directory, "report.json");
        RunJob = (job, _, _, _, _) =>
        {
            System.IO.Directory.CreateDirectory(report);
            return Task.FromResult(Reports.Of(job.Name));
        };
        Assert.Equal(1, await InvokeAsync("run", JobFile, "--report", report));
        Assert.Contains($"the report {report} could not be written", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_goes_to_standard_output_and_words_to_standard_error()
    {
        RunJob = (job, _, onEvent, _, _) =>
        {
            onEvent(new JobStarted(job.Name, job.Source.Display, job.Target.Display, false));
            return Task.FromResult(Reports.Of(job.Name));
        };
        Assert.Equal(0, await InvokeAsync("run", JobFile, "--output", "json"));
        Assert.All(Out.TrimEnd().Split('\n'), line => JsonDocument.Parse(line).Dispose());
        Assert.Contains("all in place", Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("run", "jobs.yml", "jobs.yaml")]
    [InlineData("run", "jobs", "jobs.yaml")]
    [InlineData("verify", "jbos.yaml", "jobs.yaml")]
    [InlineData("find", "jobs.yml", "jobs.yaml")]
    [InlineData("run", "unlike.yaml", null)]
    [InlineData("run", "none/jobs.yaml", null)]
    public async Task A_mistyped_file_is_told_with_the_one_that_lies_there(string command, string given, string? meant)
    {
        var path = Path.Combine(Directory, given);
        Assert.Equal(2, await InvokeAsync(command, path, "alice"));
        Assert.Equal(meant is null ? $"{path}: there is no such file; give the path of a job file\n" : $"{path}: there is no such file; did you mean '{Path.Combine(Directory, meant)}'?\n", Error);
    }

    [Theory]
    [InlineData("Did you mean '--dry-run'?", "run", "FILE", "--dry-rnu")]
    [InlineData("Did you mean '--report'?", "run", "FILE", "--raport=x")]
    [InlineData("--parallel must be a number from 1 to 256", "run", "FILE", "--parallel", "0")]
    [InlineData("--parallel must be a number from 1 to 256", "run", "FILE", "--parallel", "many")]
    [InlineData("Must be one of: 'text', 'json'\n", "run", "FILE", "--output", "xml")]
    [InlineData("FILE is missing: The job file", "run")]
    [InlineData("JOB is missing: The name of the job. In the file: alice, bob.\n", "restore", "FILE")]
    [InlineData("JOB is missing: The name of the job. In the file: alice, bob.\n", "snapshots", "FILE")]
    [InlineData("JOB is missing: The name of the job whose target is meant. In the file: alice, bob.\n", "find", "FILE")]
    [InlineData("JOB is missing: The name of the job whose target is meant. In the file: alice, bob.\n", "serve", "FILE")]
    [InlineData("JOB is missing: The name of the job.\n", "restore", "none.yaml")]
    [InlineData("TARGET_URL is missing", "copy", "maildir:x")]
    [InlineData("There is no command 'chekc'. Did you mean 'check'?\nSee 'imapsync --help'.\n", "chekc", "FILE", "--state", "x")]
    [InlineData("There is no command 'backup'. There are: init, run, watch, copy,", "backup")]
    [InlineData("Required command was not provided")]
    [InlineData("did you mean 'alice'?", "run", "FILE", "alcie")]
    [InlineData("there is no such file; give the path of a job file", "run", "none.yaml")]
    [InlineData("unknown key 'ulr'; did you mean 'url'?", "run", "FILE", "--set", "alice.target.ulr=x")]
    [InlineData("a password on the command line", "run", "FILE", "--set", "alice.source.password=x")]
    public async Task A_wrong_command_line_ends_with_status_2_and_a_remedy(string remedy, params string[] args)
    {
        RunJob = (_, _, _, _, _) => throw new InvalidOperationException("it ran");
        Assert.Equal(2, await InvokeAsync([.. args.Select(a => a == "FILE" ? JobFile : a)]));
        Assert.Contains(remedy, Error, StringComparison.Ordinal);
        Assert.Empty(Out);
    }

    [Theory]
    [InlineData(true, 5, false, true)]
    [InlineData(false, 5, false, false)]
    [InlineData(true, 0, false, false)]
    [InlineData(true, 5, true, false)]
    public async Task On_a_terminal_a_run_ends_with_where_the_mail_is(bool isTerminal, int copied, bool isDryRun, bool isTold)
    {
        using var terminal = new StringWriter();
        Terminal = isTerminal ? terminal : null;
        RunJob = (job, _, _, _, _) => Task.FromResult(Reports.Of(job.Name) with { Totals = new FolderCounts { SourceMessages = 5, Copied = copied, AlreadyPresent = 5 - copied } });
        Assert.Equal(0, await InvokeAsync(["run", JobFile, "alice", .. isDryRun ? ["--dry-run"] : Array.Empty<string>()]));
        var told = isTerminal ? terminal.ToString() : Error;
        Assert.Equal(isTold, told.TrimEnd().EndsWith($"The mail of alice is in maildir:{Directory}/backup/alice", StringComparison.Ordinal));
        Assert.Equal(isTold, told.Contains("is in maildir:", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("run")]
    [InlineData("check")]
    [InlineData("folders")]
    [InlineData("completion")]
    public async Task Every_command_has_help_with_examples(string command)
    {
        Assert.Equal(0, await InvokeAsync(command, "--help"));
        Assert.Contains($"imapsync {command}", Out[Out.IndexOf("Examples:", StringComparison.Ordinal)..], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    [InlineData("powershell")]
    public async Task A_completion_script_asks_the_program(string shell)
    {
        Assert.Equal(0, await InvokeAsync("completion", shell));
        Assert.Contains("[suggest:", Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Job_names_of_the_file_are_suggested_also_while_the_line_is_incomplete()
    {
        var line = $"imapsync run {JobFile} --parallel ";
        Assert.Equal(0, await InvokeAsync($"[suggest:{line.Length}]", line));
        line = $"imapsync run {JobFile} a";
        Assert.Equal(0, await InvokeAsync($"[suggest:{line.Length}]", line));
        Assert.Contains("alice", Out.Split('\n'));
        Assert.DoesNotContain("bob", Out.Split('\n'));
    }

    [Fact]
    public async Task No_password_shows_up_anywhere()
    {
        RunJob = (job, _, onEvent, _, _) =>
        {
            onEvent(new JobStarted(job.Name, job.Source.Display, job.Target.Display, false));
            onEvent(new NoteRaised(job.Name, null, job.ToString()));
            throw new InvalidOperationException(job.ToString());
        };
        var report = Path.Combine(Directory, "report.json");
        await InvokeAsync("run", JobFile, "--report", report);
        await InvokeAsync("run", JobFile, "--report", report, "--output", "json");
        await InvokeAsync("check", JobFile);
        await InvokeAsync("folders", JobFile);
        await InvokeAsync("run", JobFile, "--set", $"alice.source.password={Password}");
        await InvokeAsync("run", JobFile, "--set", $"alice.source.url=imaps://alice:{Password}@h");
        foreach (var text in new[] { Out, Error, await File.ReadAllTextAsync(report) })
        {
            Assert.Contains("alice", text, StringComparison.Ordinal);
            Assert.DoesNotContain(Password, text, StringComparison.Ordinal);
        }
    }
}
