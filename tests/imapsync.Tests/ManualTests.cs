using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using Imapsync.CommandLine.Commands;
using Imapsync.CommandLine.Manual;
using Imapsync.Engine.Configuration;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>The manual, as groff formats it and as docs/reference.md contains it.</summary>
public sealed class ManualTests : CommandLineFixture
{
    private static readonly string Reference = Path.Combine(Root(), "docs", "reference.md");

    private readonly RootCommand commands = CommandLineRoot.Build(HostContext.OfProcess());

    [Fact]
    public async Task Every_page_is_rendered_without_a_warning()
    {
        Assert.Equal(0, await InvokeAsync("man", "--directory", Path.Combine(Directory, "man")));
        var pages = System.IO.Directory.GetFiles(Path.Combine(Directory, "man"), "*", SearchOption.AllDirectories);
        // There is one page for each command, one for the program and one for the job file.
        Assert.Equal(commands.Subcommands.Count + 2, pages.Length);
        foreach (var page in pages)
        {
            var shown = await Command("groff", "-man", "-t", "-ww", "-b", "-Tutf8", "-P-cbou", page);
            Assert.True(shown.Error.Length == 0, $"{page}:\n{shown.Error}");
            Assert.Contains("NAME", shown.Output, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_warnings_witness_would_see_one()
    {
        var bad = Write("bad.1", ".TH BAD 1\n.SH NAME\nbad \\- x\n.nosuch request\n\\[nosuchsign]\n");
        Assert.NotEmpty((await Command("groff", "-man", "-t", "-ww", "-b", "-Tutf8", "-P-cbou", bad)).Error);
    }

    [Fact]
    public async Task Whatis_and_man_find_the_names()
    {
        Assert.Equal(0, await InvokeAsync("man", "run"));
        var page = Write("imapsync-run.1", Out);
        Assert.Contains("imapsync-run - run jobs", await Support("lexgrog", page), StringComparison.Ordinal);
        Assert.Contains("--report-csv FILE", await Support("man", "-l", page), StringComparison.Ordinal);
    }

    /// <summary>The manual shows every option and key unchanged: none loses a character to roff syntax.</summary>
    [Fact]
    public async Task Every_option_and_key_is_readable_in_its_page()
    {
        foreach (var command in commands.Subcommands)
        {
            var page = CommandPages.OfCommands(commands).Single(p => p.Name == $"imapsync-{command.Name}");
            var shown = await ShownAsync(page);
            Assert.Contains(OneLine(command.Description!), shown, StringComparison.Ordinal);
            foreach (var option in command.Options.Where(o => o is not HelpOption))
            {
                Assert.Contains(option.Name, shown, StringComparison.Ordinal);
                Assert.Contains(OneLine(option.Description!), shown, StringComparison.Ordinal);
            }

            foreach (var (line, _) in ((ExampleCommand)command).Examples)
                Assert.Contains(OneLine(line), shown, StringComparison.Ordinal);
        }

        var keys = await ShownAsync(JobFilePage.Create());
        foreach (var key in All(JobKeys.Root))
        {
            Assert.Contains(key.Name, keys, StringComparison.Ordinal);
            Assert.Contains(OneLine(key.Purpose), keys, StringComparison.Ordinal);
            Assert.Contains(OneLine(key.Value), keys, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_page_that_is_not_there_is_told_with_those_that_are()
    {
        Assert.Equal(2, await InvokeAsync("man", "rum"));
        Assert.Contains("no manual page 'rum'", Error, StringComparison.Ordinal);
        Assert.Contains("run", Error, StringComparison.Ordinal);
        Assert.Equal(1, await InvokeAsync("man", "--directory", Path.Combine(JobFile, "below-a-file")));
    }

    [Fact]
    public async Task The_published_reference_is_the_one_of_this_program()
    {
        var text = ReferenceDocument.Write(ManCommand.Pages(commands));
        if (Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_WRITE_DOCUMENTS") == "1")
            await File.WriteAllTextAsync(Reference, text, TestContext.Current.CancellationToken);
        Assert.Equal(text, await File.ReadAllTextAsync(Reference, TestContext.Current.CancellationToken));
    }

    private static IEnumerable<JobKey> All(IEnumerable<JobKey> keys) => keys.SelectMany(k => (IEnumerable<JobKey>)[k, .. All(k.Keys)]);

    private async Task<string> ShownAsync(ManualPage page) => OneLine(await Support("groff", "-man", "-Tutf8", "-P-cbou", "-rLL=100n", Write(page.FileName, Roff.Write(page))));

    private static string OneLine(string text) => string.Join(' ', text.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));

    private static Task<string> Support(string program, params string[] arguments) => Imapsync.Tests.Support.Command.RunAsync(program, arguments);

    /// <summary>Runs a program. Returns its error output too, because warnings matter even if the program succeeds.</summary>
    private static async Task<(string Output, string Error)> Command(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(new System.Diagnostics.ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (output, await error);
    }

    private static string Root()
    {
        var directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "imapsync.sln")))
            directory = Path.GetDirectoryName(directory) ?? throw new InvalidOperationException("the repository's root is not above the tests");
        return directory;
    }
}
