using System.CommandLine;
using System.CommandLine.Parsing;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;

namespace Imapsync.CommandLine;

/// <summary>Explains what is wrong with a command line and what was probably meant.</summary>
internal static class UsageErrors
{
    private const int MostNames = 10;

    public static int Print(ParseResult parsed, TextWriter error)
    {
        foreach (var text in Texts(parsed))
            error.WriteLine(TerminalText.Escape(WithoutPasswords(text, parsed)));
        error.WriteLine($"See '{CommandName(parsed.CommandResult)} --help'.");
        return ExitStatus.Usage;
    }

    private static IEnumerable<string> Texts(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        // With an unknown command, everything after it is unknown too, so only the command is reported.
        if (command == parsed.RootCommandResult.Command && parsed.UnmatchedTokens is [var first, ..] && !first.StartsWith('-'))
        {
            var meant = EditDistance.Nearest(first, command.Subcommands.Select(c => c.Name));
            var names = string.Join(", ", command.Subcommands.Select(c => c.Name));
            return [$"There is no command '{first}'. {(meant is null ? $"There are: {names}." : $"Did you mean '{meant}'?")}"];
        }

        var words = command.Options.Concat(parsed.RootCommandResult.Command.Options).Select(o => o.Name).Distinct().ToList();
        var meanings = parsed.UnmatchedTokens.Select(word => (Word: word, Nearest: EditDistance.Nearest(word, words))).Where(m => m.Nearest is not null)
            .Select(m => $"Did you mean '{m.Nearest}' in place of '{m.Word}'?");
        var missing = parsed.CommandResult.Children.OfType<ArgumentResult>().Select(r => r.Argument).Concat(command.Arguments).Distinct()
            .Where(a => a.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(a) is not { Tokens.Count: > 0 })
            .Select(a => $"{a.Name} is missing: {a.Description}{(a.Name == "JOB" ? JobsOf(parsed.CommandResult) : "")}").ToList();
        return parsed.Errors.Select(e => InOneLine(e.Message))
            .SelectMany(text => missing.Count > 0 && text.StartsWith("Required argument missing", StringComparison.Ordinal) ? missing : [text])
            .Concat(meanings).Distinct();
    }

    /// <summary>Returns a sentence with the names of the jobs in the given job file; empty if no file was given or no jobs can be read from it.</summary>
    public static string JobsOf(CommandResult command)
    {
        var file = command.Children.OfType<ArgumentResult>().FirstOrDefault(r => r.Argument.Name == "FILE")?.Tokens is [var token, ..] ? token.Value : null;
        return file is not null && JobFileReader.ReadNames(file) is { Count: > 0 } names ? $" In the file: {string.Join(", ", names.Take(MostNames))}{(names.Count > MostNames ? " …" : ".")}" : "";
    }

    /// <summary>Joins the allowed words, which the library lists on separate lines, into one line.</summary>
    private static string InOneLine(string text)
    {
        var parts = text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return parts.Length < 2 ? text : $"{parts[0]} {string.Join(", ", parts[1..])}";
    }

    public static string UnknownOption(string word, Command command)
    {
        var name = word.Split('=')[0];
        var nearest = EditDistance.Nearest(name, command.Options.Select(o => o.Name));
        return $"Unknown option '{name}'.{(nearest is null ? "" : $" Did you mean '{nearest}'?")}";
    }

    /// <summary>
    /// Removes passwords from an error text of the library, which quotes words of the command line: values of password options, and
    /// passwords in URLs.
    /// </summary>
    private static string WithoutPasswords(string text, ParseResult parsed)
    {
        var before = "";
        foreach (var word in parsed.Tokens.Select(t => t.Value))
        {
            var (start, at) = (word.IndexOf("://", StringComparison.Ordinal), word.LastIndexOf('@'));
            if (before.EndsWith("-password", StringComparison.Ordinal))
                text = text.Replace($"'{word}'", "'…'", StringComparison.Ordinal);
            else if (start >= 0 && at > start && word.AsSpan(start + 3, at - start - 3).Contains(':'))
                text = text.Replace(word, $"{word[..start]}://…{word[at..]}", StringComparison.Ordinal);
            before = word;
        }

        return text;
    }

    private static string CommandName(CommandResult result) =>
        result.Parent is CommandResult ? $"imapsync {result.Command.Name}" : "imapsync";
}
