using System.CommandLine;
using System.CommandLine.Parsing;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Jobs;

namespace Imapsync.CommandLine;

/// <summary>Says what is wrong with a command line and what was probably meant.</summary>
internal static class UsageErrors
{
    public static int Print(ParseResult parsed, TextWriter error)
    {
        foreach (var text in parsed.Errors.Select(e => e.Message).Distinct())
            error.WriteLine(TerminalText.Escape(WithoutPasswords(text, parsed)));
        var command = parsed.CommandResult.Command;
        var words = command.Options.Concat(parsed.RootCommandResult.Command.Options).Select(o => o.Name)
            .Concat(command.Subcommands.Select(c => c.Name)).Distinct().ToList();
        foreach (var word in parsed.UnmatchedTokens)
        {
            if (EditDistance.Nearest(word, words) is { } nearest)
                error.WriteLine(TerminalText.Escape($"Did you mean '{nearest}' in place of '{WithoutPasswords(word, parsed)}'?"));
        }

        error.WriteLine($"See '{CommandName(parsed.CommandResult)} --help'.");
        return ExitStatus.Usage;
    }

    public static string UnknownOption(string word, Command command)
    {
        var name = word.Split('=')[0];
        var nearest = EditDistance.Nearest(name, command.Options.Select(o => o.Name));
        return $"Unknown option '{name}'.{(nearest is null ? "" : $" Did you mean '{nearest}'?")}";
    }

    /// <summary>Words that the library repeats may be passwords, or URLs with one.</summary>
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
