using System.Text.RegularExpressions;
using YamlDotNet.Core;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// Explains where and why a text is not valid YAML, and how to correct it. Pure. It never quotes the file, which may contain a password.
/// </summary>
internal static partial class YamlTrouble
{
    private static readonly (string Words, string Remedy)[] Remedies =
    [
        ("parsing a flow", "look for a comma, bracket or quote that is missing"),
        ("found invalid mapping", "put a value with ': ' in it in quotes"),
        ("did not find expected", "look at the indentation of this line and of those above it"),
        ("-quoted scalar", "look for the end of what is in quotes"),
        ("cannot start any token", "put the value in quotes"),
    ];

    /// <param name="origin">The parser's position.</param>
    public static ConfigurationError Tell(YamlException e, string text, SettingOrigin origin)
    {
        var message = e.GetType() == typeof(YamlException) ? e.Message : Quoted().Replace(e.Message, Harmless).Trim('.', ' ');
        // The parser reports the line above the tab.
        if (AboutTab().IsMatch(message) && FindTab(text, origin) is { } tab)
            return new ConfigurationError(tab, "this is not valid YAML: a tab indents this line", "indent with spaces");
        var remedy = Array.Find(Remedies, r => message.Contains(r.Words, StringComparison.Ordinal)).Remedy ?? "correct it and try again";
        return new ConfigurationError(origin, $"this is not valid YAML: {message}", remedy);
    }

    /// <summary>
    /// Replaces quoted text by "…", because it comes from the file. One or two punctuation characters are kept, since they say what the
    /// parser expected.
    /// </summary>
    private static string Harmless(Match quoted) => Expected().IsMatch(quoted.Value) ? quoted.Value : "…";

    /// <summary>
    /// Returns the position of the first tab that indents a line, from the parser's position on; null when there is none.
    /// </summary>
    private static SettingOrigin? FindTab(string text, SettingOrigin origin)
    {
        var lines = text.Split('\n');
        for (var at = Math.Max(0, origin.Line - 1); at < lines.Length; at++)
        {
            var column = lines[at].IndexOf('\t', StringComparison.Ordinal);
            if (column >= 0 && string.IsNullOrWhiteSpace(lines[at][..column]))
                return origin with { Line = at + 1, Column = column + 1 };
        }

        return null;
    }

    // The pattern matches up to the last quote of the same kind, since the quoted text may itself contain quotes.
    [GeneratedRegex("""(?:'.*'|".*"|`.*`)|['"`].*$""", RegexOptions.Singleline)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^'[^\w']{1,2}'(?: or '[^\w']{1,2}')?$")]
    private static partial Regex Expected();

    [GeneratedRegex(@"\btabs?\b")]
    private static partial Regex AboutTab();
}
