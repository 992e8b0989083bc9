using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>Every command line that a document shows is one that the program understands.</summary>
public sealed partial class DocumentCommandsTests
{
    private const string Program = "imapsync ";

    [Fact]
    public void Every_command_line_of_the_documents_is_understood()
    {
        using var surroundings = new HostContext
        {
            Out = TextWriter.Null,
            Error = TextWriter.Null,
            Environment = new Dictionary<string, string>(),
            OpenStore = Openers.Both(_ => throw new InvalidOperationException("it was run")),
            RunJob = (_, _, _, _, _) => throw new InvalidOperationException("it was run"),
        };
        var root = CommandLineRoot.Build(surroundings);
        var (count, wrong) = (0, new List<string>());
        foreach (var file in Directory.EnumerateFiles(Path.Combine(Repository.Root, "docs"), "*.md", SearchOption.AllDirectories).Append(Path.Combine(Repository.Root, "README.md")))
        {
            // This document is generated from the parser itself, so it needs no check.
            if (Path.GetFileName(file) == "reference.md")
                continue;
            foreach (var (words, isWhole) in Commands(File.ReadAllText(file)))
            {
                count++;
                // A command line quoted in a sentence may omit required arguments.
                var errors = root.Parse(words).Errors.Select(e => e.Message).Where(e => isWhole || !e.StartsWith("Required", StringComparison.Ordinal)).ToList();
                if (errors.Count > 0)
                    wrong.Add($"{Path.GetFileName(file)}: imapsync {string.Join(' ', words)}: {errors[0]}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.InRange(count, 100, 2000);
    }

    [Theory]
    [InlineData("15 2 * * *  imapsync run /etc/j.yaml --report 'a b' 2>x || tail", "run|/etc/j.yaml|--report|a b")]
    [InlineData("imapsync verify j.yaml --full    # all of it", "verify|j.yaml|--full")]
    [InlineData("imapsync run j.yaml --set \"a.b=x, y\" >/dev/null", "run|j.yaml|--set|a.b=x, y")]
    [InlineData("no command", "")]
    public void A_line_is_read_as_a_shell_reads_it(string line, string words) => Assert.Equal(words, string.Join('|', Words(line)));

    private static IEnumerable<(string[] Words, bool IsWhole)> Commands(string text)
    {
        var isBlock = false;
        foreach (var line in text.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n'))
        {
            if (line.StartsWith("```", StringComparison.Ordinal))
                isBlock = !isBlock;
            foreach (var command in isBlock ? [line] : line.Split('`').Where((_, at) => at % 2 == 1))
            {
                var words = Words(command);
                // Skips command lines of the Perl program of the same name, other commands that contain the name, and synopses.
                if (words.Length > 0 && char.IsAsciiLetterLower(words[0][0]) && !(isBlock && Explained().IsMatch(command)) && !words.Any(w => w.Contains('…') || w.Contains("...", StringComparison.Ordinal) || w[0] == '[' || w.Contains('|') || w == "COMMAND"))
                    yield return (words, isBlock);
            }
        }
    }

    /// <summary>Returns the words after the program's name, up to a comment, a pipe or a redirection.</summary>
    private static string[] Words(string line)
    {
        // In "sudo -u imapsync" the word imapsync is the user of the service, not the program.
        line = line.Replace("-u imapsync ", "", StringComparison.Ordinal).Replace("-g imapsync ", "", StringComparison.Ordinal);
        var at = line.StartsWith(Program, StringComparison.Ordinal) ? 0 : line.IndexOf(" " + Program, StringComparison.Ordinal) + 1;
        if (at == 0 && !line.StartsWith(Program, StringComparison.Ordinal))
            return [];
        var (words, word, quote) = (new List<string>(), new StringBuilder(), '\0');
        foreach (var c in line[(at + Program.Length)..] + " ")
        {
            if (quote != '\0')
            {
                if (c == quote)
                    quote = '\0';
                else
                    word.Append(c);
            }
            else if (c is '\'' or '"')
            {
                quote = c;
            }
            else if (c is '|' or '>' or '&' or ';' || c == '#' && word.Length == 0)
            {
                break;
            }
            else if (c != ' ')
            {
                word.Append(c);
            }
            else if (word.Length > 0)
            {
                words.Add(word.ToString());
                word.Clear();
            }
        }

        return [.. words];
    }

    /// <summary>Matches a command line followed by spaces and a description, without a comment sign.</summary>
    [GeneratedRegex("imapsync .*[^ ] {2,}[A-Za-z]", RegexOptions.None, 60_000)]
    private static partial Regex Explained();
}
