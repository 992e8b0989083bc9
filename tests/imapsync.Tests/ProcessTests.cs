using System.Runtime.InteropServices;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>Runs the built program in a separate process.</summary>
public sealed class ProcessTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("imapsync-process-").FullName;

    [Fact]
    public async Task Ten_mistakes_are_ten_lines_and_status_2()
    {
        await File.WriteAllTextAsync(Path.Combine(directory, "jobs.yaml"), """
            jobs:
              - name: alice
                source:
                  url: imaps://alice@imap.example.com
                  pasword_env: X
                  password_env: IMAPSYNC_TEST_NOT_SET
                  tls: nnone
                  connections: 0
                target:
                  url: maildir:backup
                  tls: none
                messages: { since: soon, max_size: big }
                flags: [once]
                deletion_limit: 101%
                deletions: mirorr
            """);
        var (status, output, error) = await RunAsync("run", "jobs.yaml");
        Assert.Equal(2, status);
        Assert.Empty(output);
        Assert.Equal(
            ["jobs.yaml:5:7: ", "jobs.yaml:6:21: ", "jobs.yaml:7:12: ", "jobs.yaml:8:20: ", "jobs.yaml:11:7: ", "jobs.yaml:12:24: ", "jobs.yaml:12:40: ", "jobs.yaml:13:12: ", "jobs.yaml:14:21: ", "jobs.yaml:15:16: "],
            error.TrimEnd().Split('\n').Select(line => line[..(line.IndexOf(": ", StringComparison.Ordinal) + 2)]));
    }

    [Fact]
    public async Task A_misspelt_option_is_status_2()
    {
        var (status, _, error) = await RunAsync("run", "jobs.yaml", "--dry-rnu");
        Assert.Equal(2, status);
        Assert.Contains("Did you mean '--dry-run'?", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_a_line()
    {
        var (status, output, _) = await RunAsync("--version");
        Assert.Equal(0, status);
        Assert.Matches(@"^imapsync \d+\.\d+\.\d+\S*\n$", output);
    }

    private const string OfRows = """
        jobs:
          - name: "{user}"
            for_each: { command: COMMAND }
            source: { url: "imap://{user}@127.0.0.1:1", tls: none, password_command: "cat >/dev/null; echo x" }
            target: { url: "maildir:backup/{user}" }
            retry: { attempts: 1 }
        notify: [ { command: "touch told" } ]
        """;

    [Theory]
    [InlineData(PosixSignal.SIGTERM, 143)]
    [InlineData(PosixSignal.SIGINT, 130)]
    public async Task A_signal_is_heard_while_the_command_of_for_each_runs_and_is_told_to_nobody_as_a_mistake(PosixSignal signal, int status)
    {
        await Imapsync.Tests.Support.Command.SucceedsAsync("mkfifo", [Path.Combine(directory, "begun")]);
        await File.WriteAllTextAsync(Path.Combine(directory, "jobs.yaml"), OfRows.Replace("COMMAND", "'echo >begun; sleep 50'", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await using var process = ImapsyncProcess.Start(directory, ["run", "jobs.yaml"]);
        await File.ReadAllTextAsync(Path.Combine(directory, "begun"), TestContext.Current.CancellationToken);
        process.Signal(signal);
        var result = await process.WaitAsync();
        Assert.Equal((status, ""), (result.Status, result.Error));
        Assert.False(File.Exists(Path.Combine(directory, "told")));
    }

    [Theory]
    [InlineData("status")]
    [InlineData("check")]
    public async Task No_command_of_the_job_file_reads_what_is_fed_to_this_program(string command)
    {
        await File.WriteAllTextAsync(Path.Combine(directory, "jobs.yaml"), OfRows.Replace("COMMAND", "'cat >/dev/null; echo user; echo alice'", StringComparison.Ordinal), TestContext.Current.CancellationToken);
        await using var process = ImapsyncProcess.Start(directory, [command, "jobs.yaml"], through: ["sh", "-c", "printf 'bob\\ncarol\\n' | { \"$@\" >out; cat; }", "sh"]);
        Assert.Equal("bob\ncarol\n", (await process.WaitAsync()).Output);
        Assert.Contains("alice", await File.ReadAllTextAsync(Path.Combine(directory, "out"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private async Task<(int Status, string Out, string Error)> RunAsync(params string[] args)
    {
        await using var process = ImapsyncProcess.Start(directory, args);
        var result = await process.WaitAsync();
        return (result.Status, result.Output, result.Error);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
