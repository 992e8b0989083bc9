using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>A page of the documentation, whose examples are adapted so that a test can run them.</summary>
internal sealed partial class DocumentPage
{
    private readonly string text;

    private DocumentPage(string text) => this.text = text;

    /// <param name="name">The path of the page below docs, without its extension.</param>
    public static DocumentPage Read(string name) => new(File.ReadAllText(Path.Combine(Repository.Root, "docs", name + ".md")));

    /// <summary>The other program's configuration on the page: the first code block that is marked <c>ini</c> or has no language.</summary>
    public string Theirs(params ReadOnlySpan<(string Written, string Here)> changes) => Change(Blocks().First(b => b.Language is "" or "ini").Text, changes);

    /// <summary>Returns one of the job files on the page, counted from 0, with texts replaced.</summary>
    public string Job(int number, params ReadOnlySpan<(string Written, string Here)> changes) => Change(Blocks().Where(b => b.Language == "yaml").ElementAt(number).Text, changes);

    /// <summary>Returns the arguments of an imapsync command line on the page, in a code block, a table or a sentence.</summary>
    /// <param name="part">The whole command line, or a part that occurs in no other one on the page.</param>
    public string[] Command(string part, params ReadOnlySpan<(string Written, string Here)> changes)
    {
        var lines = Blocks().SelectMany(b => b.Text.Split('\n')).Concat(text.Split('`').Where((_, at) => at % 2 == 1)).Select(l => CommandLine().Match(l))
            .Where(m => m.Success).Select(m => m.Groups["line"].Value.TrimEnd()).Distinct().ToList();
        var line = lines.Contains(part) ? part : Assert.Single(lines, l => l.Contains(part, StringComparison.Ordinal));
        return [.. Change(line, changes).Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(w => w.Trim('\''))];
    }

    /// <summary>Replaces texts in an example. Each must occur in it, so that a test fails when the page has changed.</summary>
    private static string Change(string example, ReadOnlySpan<(string Written, string Here)> changes)
    {
        foreach (var (written, here) in changes)
        {
            Assert.Contains(written, example, StringComparison.Ordinal);
            example = example.Replace(written, here, StringComparison.Ordinal);
        }

        return example;
    }

    private IEnumerable<(string Language, string Text)> Blocks()
    {
        var (language, block) = ((string?)null, new StringBuilder());
        foreach (var line in text.Split('\n'))
        {
            if (!line.StartsWith("```", StringComparison.Ordinal))
            {
                if (language is not null)
                    block.Append(line).Append('\n');
                continue;
            }

            if (language is null)
            {
                (language, block) = (line[3..], new StringBuilder());
            }
            else
            {
                yield return (language, block.ToString());
                language = null;
            }
        }
    }

    /// <summary>
    /// Matches a command line up to a comment, a redirection or another command. It may follow the time fields of a crontab.
    /// </summary>
    [GeneratedRegex("^(?:[0-9* ]+ )?(?<line>imapsync [^#>&|\n]*)", RegexOptions.None, 60_000)]
    private static partial Regex CommandLine();
}
