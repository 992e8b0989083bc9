using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>Messages quoted in docs/troubleshooting.md must be messages of the program, so that users find them by a search.</summary>
public sealed partial class TroubleshootingDocumentTests
{
    /// <summary>Quoted messages that come from the operating system.</summary>
    private static readonly string[] OfTheSystem = ["Name or service not known", "Connection refused"];

    [Fact]
    public void Every_message_that_it_quotes_stands_in_the_source()
    {
        var root = Repository.Root;
        var sources = Directory.EnumerateFiles(Path.Combine(root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal)).SelectMany(File.ReadLines).Where(l => l.Contains('"')).ToList();
        var quoted = File.ReadLines(Path.Combine(root, "docs", "troubleshooting.md"))
            .Where(l => l.StartsWith("| `", StringComparison.Ordinal)).SelectMany(l => Quote().Matches(l.Split(" | ")[0]).Select(m => m.Groups["quote"].Value)).ToList();
        Assert.InRange(quoted.Count, 40, 200);
        var unknown = quoted.Except(OfTheSystem).Where(q => !sources.Exists(s => Says(s, q))).ToList();
        Assert.True(unknown.Count == 0, "nothing says: " + string.Join("\n", unknown));
        Assert.All(OfTheSystem, q => Assert.Contains(q, quoted));
    }

    [Fact]
    public void A_message_that_nobody_says_would_be_found() => Assert.False(Says("throw new X($\"the disk {path} is full\")", "the disk … is empty"));

    /// <summary>Whether a source line contains the parts of the quoted text between its ellipses, in order.</summary>
    private static bool Says(string line, string quoted)
    {
        var at = 0;
        foreach (var part in quoted.Split('…').Select(p => p.Trim()))
        {
            var found = line.IndexOf(part, at, StringComparison.Ordinal);
            if (found < 0)
                return false;
            at = found + part.Length;
        }

        return true;
    }

    [GeneratedRegex("`(?<quote>[^`]+)`", RegexOptions.None, 60_000)]
    private static partial Regex Quote();
}
