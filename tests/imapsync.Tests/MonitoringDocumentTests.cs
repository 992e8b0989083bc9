using System.Text.RegularExpressions;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;

namespace Imapsync.CommandLine.Tests;

/// <summary>The program accepts the examples of docs/monitoring.md.</summary>
public sealed partial class MonitoringDocumentTests : CommandLineFixture
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Root(), "docs", "monitoring.md"));

    [Fact]
    public void Its_notifications_are_a_good_job_file()
    {
        var blocks = YamlBlock().Matches(Text).Select(m => m.Groups["yaml"].Value).Where(b => b.StartsWith("notify:", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, blocks.Count);
        foreach (var block in blocks)
        {
            var head = block.Split("jobs:")[0];
            var file = JobFileReader.Parse("doc.yaml", head + "jobs:\n  - { name: a, source: { url: 'maildir:/a' }, target: { url: 'maildir:/b' }, state: /c }\n", new JobFileOptions());
            Assert.NotEmpty(file.Notices);
        }

        var first = JobFileReader.Parse("doc.yaml", blocks[0].Split("jobs:")[0] + "jobs:\n  - { name: a, source: { url: 'maildir:/a' }, target: { url: 'maildir:/b' }, state: /c }\n", new JobFileOptions()).Notices;
        Assert.Equal([NoticeOccasion.Always, NoticeOccasion.Change, NoticeOccasion.Failure, NoticeOccasion.Always], first.Select(n => n.On));
    }

    [Fact]
    public async Task Its_command_lines_are_understood()
    {
        var lines = CommandLine().Matches(Text).Select(m => m.Groups["rest"].Value.Trim()).Where(l => l.Contains(".yaml", StringComparison.Ordinal)).ToList();
        Assert.InRange(lines.Count, 6, 20);
        foreach (var line in lines)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => w.StartsWith('/') && w.EndsWith(".log", StringComparison.Ordinal) ? Path.Combine(Directory, "x.log") : w).ToArray();
            Assert.InRange(await InvokeAsync(words), 2, 3);
        }

        // Each command line was understood and failed only because its job file does not exist.
        Assert.Equal(lines.Count, NoFile().Count(Error + Out));
    }

    [Fact]
    public async Task Every_figure_is_in_it()
    {
        await InvokeAsync("status", JobFile, "--state", Path.Combine(Directory, "states"), "--output", "prometheus");
        foreach (var name in Out.Split('\n').Where(l => l.StartsWith("# TYPE ", StringComparison.Ordinal)).Select(l => l.Split(' ')[2]["imapsync_job".Length..]))
            Assert.Contains($"{name}`", Text, StringComparison.Ordinal);
    }

    private static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "imapsync.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the repository's root is not above the tests");
        return directory;
    }

    [GeneratedRegex("```yaml\n(?<yaml>.*?)```", RegexOptions.Singleline, 60_000)]
    private static partial Regex YamlBlock();

    [GeneratedRegex(@"(?:^|\s|/)imapsync (?<rest>(?:run|status|report) [^>#|\n]*)", RegexOptions.Multiline, 60_000)]
    private static partial Regex CommandLine();

    [GeneratedRegex("there is no such file", RegexOptions.None, 60_000)]
    private static partial Regex NoFile();
}
