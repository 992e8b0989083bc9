using System.CommandLine;
using System.Text;

namespace Imapsync.CommandLine;

/// <summary>
/// Formats the help of a command, no wider than the screen. Options that exist for both source and target are listed once. Options for
/// settings of the job file are grouped under headings.
/// </summary>
internal static class HelpText
{
    private const string Source = "--source-";
    private const string Target = "--target-";

    /// <summary>Width of the column for names; a longer name gets a line of its own.</summary>
    private const int NameColumn = 30;

    /// <summary>Returns the lines of a command's help.</summary>
    /// <param name="path">The command as it is typed, without its arguments.</param>
    /// <param name="width">The most columns of a line.</param>
    /// <param name="isShort">Whether options below a heading are only named, without descriptions.</param>
    public static IEnumerable<string> Lines(Command command, string path, int width, bool isShort = false)
    {
        var commands = command.Subcommands.Where(c => !c.Hidden).ToList();
        var usage = string.Join(' ', [path, .. commands.Count > 0 ? ["COMMAND"] : Array.Empty<string>(), .. command.Arguments.Select(CommandTerms.Synopsis), "[OPTION...]"]);
        var options = command.Options.Where(o => !o.Hidden).ToList();
        // Every setting of the source also exists for the target, so only the options of the source are listed.
        var shown = options.Where(o => !(o is SettingOption && o.Name.StartsWith(Target, StringComparison.Ordinal))).ToList();
        var headed = shown.Where(o => HeadingOf(o) is not null).ToLookup(o => HeadingOf(o)!);
        return
        [
            .. Wrap(command.Description ?? "", 0, width), "",
            .. Wrap($"Usage: {usage}", 0, width), "",
            .. Section("Arguments", command.Arguments.Select(a => (a.Name, a.Description ?? "")), width),
            .. Section("Commands", commands.Select(c => (string.Join(' ', [c.Name, .. c.Arguments.Select(CommandTerms.Synopsis)]), c.Description ?? "")), width),
            .. Section("Options", shown.Where(o => HeadingOf(o) is null).Select(o => (Term(o), Meaning(o))), width),
            .. headed.SelectMany(group => isShort ? Names(group.Key, group, width) : Section(group.Key, group.Select(o => (Term(o), Meaning(o))), width)),
            .. isShort && headed.Count > 0 ? Wrap($"'{path} --help' tells what each of them does.", 0, width).Append("") : [],
        ];
    }

    private static string? HeadingOf(Option option) => option is not SettingOption { Heading: { } heading } ? null
        : option.Name.StartsWith(Source, StringComparison.Ordinal) ? $"{heading} (of the target: {Target}…)"
        : heading;

    private static IEnumerable<string> Names(string title, IEnumerable<Option> options, int width) =>
        [.. Wrap($"{title}:", 0, width), .. Wrap(string.Join(' ', options.Select(o => o.Name)), 2, width), ""];

    /// <summary>Breaks a text into lines of at most <paramref name="width"/> columns; a longer word gets a line of its own.</summary>
    /// <param name="indent">The number of blanks before each line, which are part of its width.</param>
    public static IEnumerable<string> Wrap(string text, int indent, int width)
    {
        var line = new StringBuilder();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && indent + line.Length + 1 + word.Length > width)
            {
                yield return new string(' ', indent) + line;
                line.Clear();
            }

            line.Append(line.Length > 0 ? " " : "").Append(word);
        }

        if (line.Length > 0)
            yield return new string(' ', indent) + line;
    }

    public static IEnumerable<string> Section(string title, IEnumerable<(string Name, string Text)> entries, int width)
    {
        var isFirst = true;
        foreach (var (name, text) in entries)
        {
            if (isFirst)
                yield return $"{title}:";
            isFirst = false;
            var lines = Wrap(text, NameColumn, width).ToList();
            var head = $"  {name}";
            if (head.Length < NameColumn && lines.Count > 0)
                lines[0] = head + lines[0][head.Length..];
            else
                lines.Insert(0, head);
            foreach (var line in lines)
                yield return line;
        }

        if (!isFirst)
            yield return "";
    }

    /// <summary>Returns an option as it is typed: <c>--report FILE</c>.</summary>
    private static string Term(Option option)
    {
        var names = string.Join(", ", option.Aliases.Where(a => a.StartsWith('-')).OrderBy(a => a.Length).Append(option.Name));
        if (!CommandTerms.TakesValue(option))
            return names;
        return $"{names} {(CommandTerms.Words(option).Count > 0 ? "WORD" : option.HelpName ?? "VALUE")}";
    }

    private static string Meaning(Option option)
    {
        var words = CommandTerms.Words(option);
        var oneOf = words.Count > 0 ? $" One of {string.Join(", ", words)}." : "";
        var value = CommandTerms.Default(option) is { } given ? $" [{given}]" : "";
        return $"{option.Description}{oneOf}{value}";
    }
}
