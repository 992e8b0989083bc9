using System.CommandLine;

using Imapsync.Engine.Configuration;
using Imapsync.Engine.Stores;

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
        Assert.Contains("Log-in (of the target: --target-…):", Out, StringComparison.Ordinal);
        Assert.Contains("--source-password-env VALUE", Out, StringComparison.Ordinal);
        Assert.DoesNotContain("--target-password-env", Out[..Out.IndexOf("Examples:", StringComparison.Ordinal)], StringComparison.Ordinal);
        Assert.Contains("--source-tls WORD", Out, StringComparison.Ordinal);
        Assert.Contains("One of none, required.", Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("help")]
    [InlineData("help", "run")]
    public async Task The_word_help_does_the_same(params string[] words)
    {
        Assert.Equal(0, await InvokeAsync([.. words[1..], "--help"]));
        var text = Out;
        Assert.Equal(0, await InvokeAsync(words));
        Assert.Equal(text + text, Out);
    }

    [Fact]
    public async Task All_forms_of_URLs_that_copy_takes_are_listed()
    {
        Assert.Equal(0, await InvokeAsync("copy", "--help"));
        var text = string.Join(' ', Out.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        var (source, target) = (Between("SOURCE_URL Where", "TARGET_URL Where"), Between("TARGET_URL Where", "Options:"));
        Assert.All(StoreRegistry.Kinds, kind => Assert.All(kind.UrlForms, form =>
        {
            Assert.Contains(form, source, StringComparison.Ordinal);
            Assert.Equal(!kind.IsSourceOnly, target.Contains(form, StringComparison.Ordinal));
        }));

        string Between(string first, string last) => text[text.IndexOf(first, StringComparison.Ordinal)..text.IndexOf(last, StringComparison.Ordinal)];
    }

    [Theory]
    [InlineData("copy")]
    [InlineData("restore")]
    public async Task Many_options_are_listed_by_what_they_are_about_and_the_short_help_only_names_them(string command)
    {
        Assert.Equal(0, await InvokeAsync(command, "--help"));
        var full = Out;
        // Each group of options must be so short that its heading and its last option fit on one screen.
        var sections = full[full.IndexOf("\nOptions:", StringComparison.Ordinal)..full.IndexOf("\nExamples:", StringComparison.Ordinal)].Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.All(sections, s => Assert.InRange(s.Split('\n').Count(l => l.StartsWith("  -", StringComparison.Ordinal)), 1, 20));
        Assert.Equal(0, await InvokeAsync(command, "-h"));
        var brief = Out[full.Length..];
        Assert.InRange(brief.Split('\n').Length, 1, full.Split('\n').Length * 2 / 3);
        Assert.All(brief[..brief.IndexOf("Examples:", StringComparison.Ordinal)].Split('\n'), line => Assert.InRange(line.Length, 0, 80));
        Assert.Contains($"'imapsync {command} --help' tells what each of them does.", brief, StringComparison.Ordinal);
        foreach (var option in CommandLineRoot.Build(HostContext.OfProcess()).Subcommands.Single(c => c.Name == command).Options.Where(o => !o.Name.StartsWith("--target-", StringComparison.Ordinal)))
        {
            Assert.Contains($" {option.Name}", full, StringComparison.Ordinal);
            Assert.Contains($" {option.Name}", brief, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Only_settings_of_one_kind_of_store_have_the_heading_for_them()
    {
        var ofKinds = StoreRegistry.Kinds.SelectMany(k => k.Settings).Select(s => s.Name).ToHashSet();
        Assert.All(JobSettings.Endpoint.Concat(JobSettings.Job).Where(s => !ofKinds.Contains(s.Path[^1])), s => Assert.NotEqual("Kinds of stores", new SettingOption("--x", s).Heading));
    }

    [Theory]
    [InlineData("", 10, new string[0])]
    [InlineData("a bb ccc", 5, new[] { "  a", "  bb", "  ccc" })]
    [InlineData("a bb ccc", 6, new[] { "  a bb", "  ccc" })]
    [InlineData("averylongword b", 6, new[] { "  averylongword", "  b" })]
    public void Words_are_wrapped_and_none_is_cut(string text, int width, string[] lines) => Assert.Equal(lines, HelpText.Wrap(text, 2, width));
}
