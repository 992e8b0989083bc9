using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>The links between the documents lead to existing files and headings.</summary>
public sealed partial class DocumentLinksTests
{
    private static readonly string Documents = Path.Combine(Repository.Root, "docs");

    [Fact]
    public void Every_link_of_the_documents_leads_to_a_file_and_to_a_heading_in_it()
    {
        var wrong = new List<string>();
        foreach (var file in Directory.EnumerateFiles(Documents, "*.md", SearchOption.AllDirectories).Append(Path.Combine(Repository.Root, "README.md")))
        {
            foreach (var link in Link().Matches(File.ReadAllText(file)).Select(m => m.Groups["link"].Value).Where(l => !l.StartsWith("http", StringComparison.Ordinal)))
            {
                var parts = link.Split('#');
                var place = parts[0].Length == 0 ? file : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, parts[0]));
                if (!Path.Exists(place) || parts.Length > 1 && !File.ReadLines(place).Any(l => l.StartsWith('#') && Anchor(l) == parts[1]))
                    wrong.Add($"{Path.GetFileName(file)}: {link}");
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void The_table_of_contents_names_every_page()
    {
        var contents = File.ReadAllText(Path.Combine(Documents, "README.md"));
        Assert.All(
            Directory.EnumerateFiles(Documents, "*.md", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(Documents, f)).Where(f => f != "README.md"),
            page => Assert.Contains($"({page})", contents, StringComparison.Ordinal));
    }

    /// <summary>Returns a heading's anchor as in Markdown viewers: words in lower case, joined by hyphens.</summary>
    private static string Anchor(string heading) => Sign().Replace(heading.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-');

    [GeneratedRegex(@"\]\((?<link>[^)\s]+)\)", RegexOptions.None, 60_000)]
    private static partial Regex Link();

    [GeneratedRegex(@"[^\w\- ]", RegexOptions.None, 60_000)]
    private static partial Regex Sign();
}
