using System.Text;
using Imapsync.CommandLine.Manual;

namespace Imapsync.CommandLine.Tests;

/// <summary>docs/reference.md, which contains all pages of the manual in one document.</summary>
internal static class ReferenceDocument
{
    public static string Write(IEnumerable<ManualPage> pages)
    {
        var text = new StringBuilder("# Reference\n\n"
            + "The manual pages of the program in one: every command with its options, and every key of a job file. It is made of what reads them (`imapsync man`); "
            + "[command-line.md](command-line.md) and [job-file.md](job-file.md) explain.\n");
        foreach (var page in pages)
        {
            text.Append($"\n## {page.Name}({page.Section})\n\n{Escape(page.Purpose)}\n");
            foreach (var section in page.Sections.Where(s => s.Title != "SEE ALSO"))
            {
                text.Append($"\n**{Title(section.Title)}**\n");
                Write(text, section.Blocks);
            }
        }

        return text.ToString();
    }

    private static void Write(StringBuilder text, IReadOnlyList<ManualBlock> blocks)
    {
        var isList = false;
        foreach (var block in blocks)
        {
            if (block is not Definition || !isList)
                text.Append('\n');
            isList = block is Definition;
            text.Append(block switch
            {
                Paragraph paragraph => $"{Escape(paragraph.Text)}\n",
                SubHeading heading => $"### {heading.Text}\n",
                Definition definition => $"- `{definition.Term}`: {Escape(definition.Meaning)}\n",
                Verbatim verbatim => $"```\n{verbatim.Text}\n```\n",
                _ => throw new ArgumentOutOfRangeException(nameof(blocks), block, null),
            });
        }
    }

    private static string Title(string title) => title[0] + title[1..].ToLowerInvariant();

    private static string Escape(string text) => text.Replace("<", "&lt;", StringComparison.Ordinal).Replace("*", "\\*", StringComparison.Ordinal).Replace("_", "\\_", StringComparison.Ordinal);
}
