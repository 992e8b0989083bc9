using System.Diagnostics;
using Imapsync.Engine.Files;

namespace Imapsync.CommandLine.Tests;

/// <summary>A path that the user named for output is replaced only if it is an ordinary file.</summary>
public sealed class OutputFileTests : CommandLineFixture
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Devices_stay_devices()
    {
        var link = Path.Combine(Directory, "report");
        File.CreateSymbolicLink(link, "/dev/null");
        foreach (var path in (string[])["/dev/null", link])
        {
            Assert.Equal(0, await InvokeAsync("run", JobFile, "--report", path));
            Assert.Equal(0, await ShellAsync($"test -c '{path}'"));
        }

        Assert.Equal("/dev/null", new FileInfo(link).LinkTarget);
        Assert.Equal(1, await InvokeAsync("run", JobFile, "--report", "/dev/full"));
        Assert.Equal(0, await ShellAsync("test -c /dev/full"));
    }

    [Fact]
    public async Task A_pipe_is_written_to()
    {
        var pipe = Path.Combine(Directory, "pipe");
        Assert.Equal(0, await ShellAsync($"mkfifo '{pipe}'"));
        var reading = Task.Run(() => File.ReadAllTextAsync(pipe, Token), Token);
        Assert.Equal(0, await InvokeAsync("run", JobFile, "--report", pipe));
        Assert.Contains("\"jobs\":", await reading, StringComparison.Ordinal);
        Assert.Equal(0, await ShellAsync($"test -p '{pipe}'"));
    }

    [Fact]
    public async Task A_link_stays_and_what_it_leads_to_is_replaced()
    {
        var (link, file) = (Path.Combine(Directory, "latest"), Path.Combine(Directory, "report.json"));
        File.CreateSymbolicLink(link, "report.json");
        for (var run = 0; run < 2; run++)
        {
            Assert.Equal(0, await InvokeAsync("run", JobFile, "--report", link));
            Assert.Equal("report.json", new FileInfo(link).LinkTarget);
            Assert.Contains("\"jobs\":", await File.ReadAllTextAsync(file, Token), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_saved_job_goes_the_same_way()
    {
        var link = Path.Combine(Directory, "null");
        File.CreateSymbolicLink(link, "/dev/null");
        Assert.Equal(0, await InvokeAsync("copy", "maildir:a", "maildir:b", "--save", link, "--force"));
        Assert.Equal("/dev/null", new FileInfo(link).LinkTarget);
        Assert.Equal(0, await ShellAsync("test -c /dev/null"));
    }

    [Theory]
    [InlineData("none/report.json", "there is no such directory")]
    [InlineData("", "is a directory")]
    public async Task What_cannot_be_written_is_told_before_the_run(string name, string text)
    {
        RunJob = (_, _, _, _, _) => throw new InvalidOperationException("it ran");
        Assert.Equal(2, await InvokeAsync("run", JobFile, "--report", Path.Combine(Directory, name)));
        Assert.Contains(text, Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_beside_with_a_name_like_ours_stays()
    {
        var report = Path.Combine(Directory, "report.json");
        var beside = Write($"report.json.{Environment.ProcessId}.tmp", "mine");
        await OutputFile.WriteAsync(report, file => file.WriteAsync("{}"u8.ToArray(), Token).AsTask());
        Assert.Equal("mine", await File.ReadAllTextAsync(beside, Token));
        Assert.Equal("{}", await File.ReadAllTextAsync(report, Token));
    }

    private static async Task<int> ShellAsync(string command)
    {
        using var process = Process.Start("sh", ["-c", command]);
        await process.WaitForExitAsync(Token);
        return process.ExitCode;
    }
}
