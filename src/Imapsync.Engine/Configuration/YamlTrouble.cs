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
        ("tab", "indent with spaces"),
        ("found invalid mapping", "put a value with ': ' in it in quotes"),
        ("did not find expected", "look at the indentation of this line and of those above it"),
        ("-quoted scalar", "look for the end of what is in quotes"),
        ("cannot start any token", "put the value in quotes"),
    ];

    /// <param name="origin">The parser's position.</param>
    public static ConfigurationError Tell(YamlException e, string text, SettingOrigin origin)
    {
        var message = e.GetType() == typeof(YamlException) ? e.Message : Quoted().Replace(e.Message, Harmless).Trim('.', ' ');
        var remedy = Array.Find(Remedies, r => message.Contains(r.Words, StringComparison.Ordinal)).Remedy ?? "correct it and try again";
        return new ConfigurationError(
            message.Contains("tab as indentation", StringComparison.Ordinal) ? OfTab(text, origin) : origin, $"this is not valid YAML: {message}", remedy);
    }

    /// <summary>
    /// Hides quoted text, since it comes from the file. Short quoted punctuation is kept, since it is what the parser expected.
    /// </summary>
    private static string Harmless(Match quoted) =>
        quoted.Value.Length <= 4 && !quoted.Value.Any(char.IsLetterOrDigit) ? quoted.Value : "…";

    /// <summary>Returns the position of the tab itself, since the parser reports the line above the tab.</summary>
    private static SettingOrigin OfTab(string text, SettingOrigin origin)
    {
        var lines = text.Split('\n');
        for (var at = Math.Max(0, origin.Line - 1); at < lines.Length; at++)
        {
            var column = lines[at].IndexOf('\t', StringComparison.Ordinal);
            if (column >= 0 && string.IsNullOrWhiteSpace(lines[at][..column]))
                return origin with { Line = at + 1, Column = column + 1 };
        }

        return origin;
    }

    // The pattern matches up to the last quote of the same kind, since the quoted text may itself contain quotes.
    [GeneratedRegex("""(?:'.*'|".*"|`.*`)|['"`].*$""", RegexOptions.Singleline)]
    private static partial Regex Quoted();
}
