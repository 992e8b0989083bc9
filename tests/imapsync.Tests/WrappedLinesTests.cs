using Imapsync.CommandLine.Output;

namespace Imapsync.CommandLine.Tests;

/// <summary>Lines that are longer than a terminal is wide are broken between words.</summary>
public sealed class WrappedLinesTests : CommandLineFixture
{
    [Theory]
    [InlineData("", 20, "")]
    [InlineData("one two three four", 20, "one two three four")]
    [InlineData("exactly twenty cells", 20, "exactly twenty cells")]
    [InlineData("one two three four five", 20, "one two three four\n  five")]
    [InlineData("  indented by two cells", 20, "  indented by two\n    cells")]
    [InlineData("name    what becomes of it", 20, "name    what becomes\n  of it")]
    [InlineData("a https://a-word-that-is-wider-than-all b", 20, "a\n  https://a-word-that-is-wider-than-all\n  b")]
    [InlineData("\u001b[31mone two three four five\u001b[0m", 20, "\u001b[31mone two three four\n  five\u001b[0m")]
    [InlineData("日本語 日本語 日本語 日本語", 20, "日本語 日本語 日本語\n  日本語")]
    [InlineData("too narrow to be read anyway", 5, "too narrow to be read anyway")]
    public void Are_broken_between_words_and_go_on_indented(string line, int width, string laid) => Assert.Equal(laid, WrappedLines.Lay(line, width));

    [Fact]
    public void Lose_nothing_whatever_the_width()
    {
        var random = new Random(4711);
        for (var i = 0; i < 2000; i++)
        {
            var line = string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => random.Next(4) == 0 ? " " : "x"));
            var width = random.Next(20, 40);
            var laid = WrappedLines.Lay(line, width);
            Assert.Equal(Words(line), Words(laid));
            Assert.All(laid.Split('\n'), l => Assert.True(l.Length <= width || Words(l).Length <= 1, $"{width}: {laid}"));
        }

        static string[] Words(string text) => text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Standard error is a terminal of 50 columns, and standard output is a pipe.</summary>
    [Fact]
    public async Task On_a_real_terminal_no_word_of_the_summary_is_cut_and_a_pipe_gets_whole_lines()
    {
        for (var i = 1; i <= 3; i++)
            Deliver(Path.Combine(Directory, "source"), $"m{i}");
        var file = Write("wide.yaml", """
            jobs:
              - name: the-mailbox-of-alice-and-bob
                source: { url: "maildir:source" }
                target: { url: "maildir:target" }
            """);
        var program = $"dotnet {Path.Combine(AppContext.BaseDirectory, "imapsync.dll")}";
        var screen = await Imapsync.Tests.Support.Command.RunAsync("script", ["-qefc", $"stty cols 50; HOME={Directory} TERM=xterm {program} run {file} --state {Directory}/state >/dev/null", "/dev/null"]);
        var lines = screen.Replace("\r", "", StringComparison.Ordinal).Split('\n').ToList();
        var first = lines.FindLastIndex(l => l.Contains("the-mailbox-of-alice-and-bob  all in", StringComparison.Ordinal));
        Assert.True(first >= 0, screen);
        var summary = lines[(first + 1)..lines.FindIndex(first, l => l.StartsWith("The mail of", StringComparison.Ordinal))];
        Assert.NotEmpty(summary);
        Assert.All(summary, l => Assert.StartsWith("  ", l, StringComparison.Ordinal));
        Assert.All(summary, l => Assert.InRange(l.Length, 1, 50));
        var piped = await Imapsync.Tests.Support.Command.RunAsync("sh", ["-c", $"HOME={Directory} TERM=xterm {program} run {file} --state {Directory}/state 2>&1 >/dev/null"]);
        Assert.Single(piped.Split('\n'), l => l.StartsWith("the-mailbox-of-alice-and-bob  all in place · 1 folder, 3 messages: 3 there already · ", StringComparison.Ordinal));
    }
}
