using System.CommandLine;
using System.CommandLine.Help;

namespace Imapsync.CommandLine.Manual;

/// <summary>The manual pages about the program and its commands, generated from the definition of the command line.</summary>
internal static class CommandPages
{
    /// <summary>Returns the page imapsync(1) about the program.</summary>
    public static ManualPage OfProgram(RootCommand root) => new("imapsync", 1, "back up and migrate mailboxes",
    [
        new("SYNOPSIS", [new Verbatim("imapsync COMMAND [ARGUMENT...] [OPTION...]\nimapsync COMMAND --help\nimapsync --version")]),
        new("DESCRIPTION", [new Paragraph(root.Description!), .. GeneralWords.Description]),
        new("COMMANDS", [.. Commands(root).Select(c => new Definition(Synopsis(c), $"{c.Description} See {PageName(c)}(1)."))]),
        new("EXAMPLES", [.. Examples(Commands(root).OfType<ExampleCommand>().Select(c => c.Examples[0]))]),
        new("EXIT STATUS", [.. ExitStatus.Meanings.Select(m => new Definition($"{m.Status}", m.Meaning)), new Paragraph(GeneralWords.SeveralJobs)]),
        new("SIGNALS", [new Paragraph(GeneralWords.Signals)]),
        new("ENVIRONMENT", GeneralWords.Environment),
        new("FILES", GeneralWords.Files),
        SeeAlso([.. Commands(root).Select(c => $"{PageName(c)}(1)"), $"{JobFilePage.Name}(5)"]),
    ]);

    /// <summary>Returns a page such as imapsync-run(1) for each command.</summary>
    public static IEnumerable<ManualPage> OfCommands(RootCommand root) => Commands(root).Select(OfCommand);

    /// <summary>Returns a command with its arguments, as it is typed.</summary>
    public static string Synopsis(Command command) =>
        string.Join(' ', (string[])["imapsync", command.Name, .. command.Arguments.Where(a => !a.Hidden).Select(CommandTerms.Synopsis), .. command.Options.Any(IsShown) ? ["[OPTION...]"] : Array.Empty<string>()]);

    private static ManualPage OfCommand(Command command)
    {
        List<ManualSection> sections = [new("SYNOPSIS", [new Verbatim(Synopsis(command))]), new("DESCRIPTION", [new Paragraph(command.Description!)])];
        if (command.Arguments.Any(a => !a.Hidden))
            sections.Add(new("ARGUMENTS", [.. command.Arguments.Where(a => !a.Hidden).Select(a => new Definition(a.Name, a.Description ?? ""))]));
        if (command.Options.Any(IsShown))
            sections.Add(new("OPTIONS", [.. command.Options.Where(IsShown).Select(o => new Definition(Term(o), Meaning(o)))]));
        if (command is ExampleCommand { Examples.Count: > 0 } example)
            sections.Add(new("EXAMPLES", [.. Examples(example.Examples)]));
        sections.Add(SeeAlso(["imapsync(1), also for exit statuses, signals, files and the environment", $"{JobFilePage.Name}(5)"]));
        return new ManualPage(PageName(command), 1, Purpose(command.Description!), sections);
    }

    private static IEnumerable<Command> Commands(RootCommand root) => root.Subcommands.Where(c => !c.Hidden);

    private static string PageName(Command command) => $"imapsync-{command.Name}";

    /// <summary>Returns the first phrase of a description, which is what whatis(1) shows.</summary>
    private static string Purpose(string description)
    {
        var end = description.AsSpan().IndexOfAny('.', ':', ',');
        var first = end < 0 ? description : description[..end];
        return char.ToLowerInvariant(first[0]) + first[1..];
    }

    private static bool IsShown(Option option) => option is { Hidden: false } and not HelpOption;

    private static string Term(Option option)
    {
        var names = string.Join(", ", option.Aliases.Where(a => a.Length == 2).Append(option.Name).Concat(option.Aliases.Where(a => a.Length > 2)));
        if (!CommandTerms.TakesValue(option))
            return names;
        return $"{names} {option.HelpName ?? (CommandTerms.Words(option) is { Count: > 0 } words ? string.Join('|', words) : "VALUE")}";
    }

    private static string Meaning(Option option) =>
        CommandTerms.Default(option) is { } value ? $"{option.Description} The default is {value}." : option.Description ?? "";

    private static IEnumerable<ManualBlock> Examples(IEnumerable<(string Line, string Purpose)> examples) =>
        examples.SelectMany(e => (ManualBlock[])[new Paragraph(e.Purpose), new Verbatim(e.Line)]);

    private static ManualSection SeeAlso(IReadOnlyList<string> pages) => new("SEE ALSO", [new Paragraph(string.Join(", ", pages))]);
}
