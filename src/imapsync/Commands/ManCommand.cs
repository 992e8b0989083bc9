using System.CommandLine;
using System.Text;
using Imapsync.CommandLine.Manual;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Files;

namespace Imapsync.CommandLine.Commands;

/// <summary><c>imapsync man</c>: prints the manual, for systems on which it is not installed and for package builds.</summary>
internal static class ManCommand
{
    public static Command Create(HostContext surroundings)
    {
        var command = new ExampleCommand("man", "Print a page of the manual in the form that man reads.",
            ("imapsync man | man -l -", "Read imapsync(1)."),
            ("imapsync man run | man -l -", "Read the page of a command."),
            ("imapsync man job | man -l -", "Read about the job file."),
            ("imapsync man --directory ~/.local/share/man", "Write all pages to where man looks."));
        var name = new Argument<string>("PAGE") { Description = "A command's name, or job for the job file; by default the page of the program.", Arity = ArgumentArity.ZeroOrOne };
        var directory = new Option<string>("--directory") { Description = "Write all pages below this directory, in man1 and man5.", HelpName = "DIR" };
        name.CompletionSources.Add(context => Pages((RootCommand)context.ParseResult.RootCommandResult.Command).Select(p => new System.CommandLine.Completions.CompletionItem(Word(p))));
        command.Add(name);
        command.Add(directory);
        command.SetAction(async (parsed, _) =>
        {
            var pages = Pages((RootCommand)parsed.RootCommandResult.Command).ToList();
            if (parsed.GetValue(directory) is { } place)
                return await WriteAllAsync(pages, place, surroundings);
            var wanted = parsed.GetValue(name) ?? "imapsync";
            if (pages.Find(p => Word(p) == wanted || p.Name == wanted) is not { } page)
            {
                await surroundings.Error.WriteLineAsync(TerminalText.Escape($"imapsync has no manual page '{wanted}'; there are: {string.Join(", ", pages.Select(Word))}"));
                return ExitStatus.Usage;
            }

            await surroundings.Out.WriteAsync(Roff.Write(page));
            return ExitStatus.Ok;
        });
        return command;
    }

    /// <summary>Returns all pages of the manual.</summary>
    public static IEnumerable<ManualPage> Pages(RootCommand root) => [CommandPages.OfProgram(root), .. CommandPages.OfCommands(root), JobFilePage.Create()];

    private static string Word(ManualPage page) => page.Name.Replace("imapsync-", "", StringComparison.Ordinal);

    private static async Task<int> WriteAllAsync(List<ManualPage> pages, string directory, HostContext surroundings)
    {
        try
        {
            foreach (var page in pages)
            {
                var place = Path.Combine(directory, $"man{page.Section}");
                Directory.CreateDirectory(place);
                await File.WriteAllTextAsync(Path.Combine(place, page.FileName), Roff.Write(page), new UTF8Encoding(false), CancellationToken.None);
            }

            return ExitStatus.Ok;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            await surroundings.Error.WriteLineAsync(TerminalText.Escape($"--directory {directory}: {FileErrors.Explain(e)}"));
            return ExitStatus.Failed;
        }
    }
}
