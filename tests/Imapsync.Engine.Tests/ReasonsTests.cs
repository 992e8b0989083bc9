using System.Text.RegularExpressions;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Tests;

/// <summary>The reasons in the report are a contract: one documented list, and no other reasons.</summary>
public sealed partial class ReasonsTests
{
    private static readonly string Root = FindRoot();

    private static string[] All { get; } = [.. typeof(Reasons).GetFields().Select(f => (string)f.GetRawConstantValue()!).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task Each_reason_is_in_the_documented_table_and_no_other_is()
    {
        var text = await File.ReadAllTextAsync(Path.Combine(Root, "docs/command-line.md"), TestContext.Current.CancellationToken);
        var table = text[text.IndexOf("| scope | `reason` |", StringComparison.Ordinal)..];
        table = table[..table.IndexOf("\n\n", StringComparison.Ordinal)];
        var documented = table.Split('\n').Skip(2).SelectMany(row => Word().Matches(row).Select(m => m.Groups["word"].Value)).Distinct().Order(StringComparer.Ordinal);
        Assert.Equal(All, documented);
    }

    [Fact]
    public void No_problem_is_told_with_a_word_of_its_own() => Assert.Empty(
        Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.EndsWith("Reasons.cs", StringComparison.Ordinal))
            .SelectMany(f => Literal().Matches(File.ReadAllText(f)).Select(m => $"{Path.GetFileName(f)}: {m.Value}")));

    private static string FindRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "imapsync.sln")))
            directory = directory.Parent!;
        return directory.FullName;
    }

    // Matches reasons, which stand alone between backquotes in the table. Settings and options contain other characters, so they don't
    // match.
    [GeneratedRegex("`(?<word>[a-z_]+)`", RegexOptions.None, 60_000)]
    private static partial Regex Word();

    [GeneratedRegex("""(?:new Problem\(\s*FailureScope\.\w+,[^")]*|\bOnUnread\([^,]+,\s*|\bReachLimit\(|\bonLimit\(|\bAddFailure\([^,]+,\s*[^,]+,\s*|\bFail\(report, StopReason\.\w+, )"[a-z_]+"[,:]""", RegexOptions.None, 60_000)]
    private static partial Regex Literal();
}
