using System.CommandLine;

namespace Imapsync.CommandLine.Tests;

/// <summary>The output of <c>--help</c> for the program and for each command.</summary>
public sealed class HelpTests : CommandLineFixture
{
    public static TheoryData<string> Commands => new(["", .. CommandLineRoot.Build(HostContext.OfProcess()).Subcommands.Select(c => c.Name)]);

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task It_fits_a_screen_of_80_columns_and_says_how_the_command_is_used(string command)
    {
        string[] words = [.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"];
        Assert.Equal(0, await InvokeAsync(words));
        var (text, examples) = (Out[..Out.IndexOf("Examples:", StringComparison.Ordinal)], Out[Out.IndexOf("Examples:", StringComparison.Ordinal)..]);
        // No line may exceed 80 columns, so that examples can be copied as whole lines.
        Assert.All(text.Split('\n'), line => Assert.InRange(line.Length, 0, 80));
        Assert.Contains($"Usage: imapsync {command}".TrimEnd(), text, StringComparison.Ordinal);
        Assert.Contains($"imapsync {command}", examples, StringComparison.Ordinal);
        Assert.DoesNotContain('\t', Out);
    }

    [Fact]
    public async Task What_may_be_left_out_stands_in_brackets_and_one_job_is_no_list()
    {
        Assert.Equal(0, await InvokeAsync("--help"));
        Assert.Contains("  run FILE [JOB...] ", Out, StringComparison.Ordinal);
        Assert.Contains("  init [ADDRESS] ", Out, StringComparison.Ordinal);
        Assert.Contains("  restore FILE JOB ", Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_option_of_both_sides_is_told_once_and_its_words_are_listed()
    {
        Assert.Equal(0, await InvokeAsync("copy", "--help"));
        Assert.Contains("of the target they begin with --target-", Out, StringComparison.Ordinal);
        Assert.Contains("--source-password-env VALUE", Out, StringComparison.Ordinal);
        Assert.DoesNotContain("--target-password-env", Out[..Out.IndexOf("Examples:", StringComparison.Ordinal)], StringComparison.Ordinal);
        Assert.Contains("--source-tls WORD", Out, StringComparison.Ordinal);
        Assert.Contains("One of none, required.", Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", 10, new string[0])]
    [InlineData("a bb ccc", 5, new[] { "  a", "  bb", "  ccc" })]
    [InlineData("a bb ccc", 6, new[] { "  a bb", "  ccc" })]
    [InlineData("averylongword b", 6, new[] { "  averylongword", "  b" })]
    public void Words_are_wrapped_and_none_is_cut(string text, int width, string[] lines) => Assert.Equal(lines, HelpText.Wrap(text, 2, width));
}
