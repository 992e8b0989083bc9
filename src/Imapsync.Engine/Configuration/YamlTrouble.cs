using System.Text.RegularExpressions;
using YamlDotNet.Core;

namespace Imapsync.Engine.Configuration;

/// <summary>Says of a text that is no YAML where that shows, what is wrong and what to do. Pure; never repeats what may be a piece of a password.</summary>
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

    /// <param name="origin">Where the parser was.</param>
    public static ConfigurationError Tell(YamlException e, string text, SettingOrigin origin)
    {
        var message = e.GetType() == typeof(YamlException) ? e.Message : Quoted().Replace(e.Message, Harmless).Trim('.', ' ');
        var remedy = Array.Find(Remedies, r => message.Contains(r.Words, StringComparison.Ordinal)).Remedy ?? "correct it and try again";
        return new ConfigurationError(
            message.Contains("tab as indentation", StringComparison.Ordinal) ? OfTab(text, origin) : origin, $"this is not valid YAML: {message}", remedy);
    }

    /// <summary>The parser's own words for what it expects are a character or two in quotes; the rest is the file's.</summary>
    private static string Harmless(Match quoted) =>
        quoted.Value.Length <= 4 && !quoted.Value.Any(char.IsLetterOrDigit) ? quoted.Value : "…";

    /// <summary>The parser names the line above.</summary>
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

    // To the last quote of its kind: what is quoted may hold some itself.
    [GeneratedRegex("""(?:'.*'|".*"|`.*`)|['"`].*$""", RegexOptions.Singleline)]
    private static partial Regex Quoted();
}
