using System.Text.RegularExpressions;

namespace Imapsync.Engine.Configuration;

/// <summary>
/// Rewrites errors about settings given as options, so that they name the option: <c>--source-password-env</c> instead of
/// <c>password_env</c>.
/// </summary>
internal static class OptionWords
{
    private static readonly string[] Prefixes = ["source", "target", "to"];
    private static readonly string[] EndpointWords = [.. Words(JobSchema.Endpoint)];
    private static readonly string[] JobWords = [.. Words(JobSchema.Job)];

    /// <summary>
    /// Replaces keys by options in the texts of an error. A key is replaced only when it contains an underscore or appears as <c>key:
    /// value</c>, since other words may be ordinary language.
    /// </summary>
    public static ConfigurationError Tell(ConfigurationError error)
    {
        var given = error.Origin.Text;
        var prefix = Array.Find(Prefixes, p => given.StartsWith($"--{p}", StringComparison.Ordinal) || given.Equals($"{p}_URL", StringComparison.OrdinalIgnoreCase));
        return error with { Message = Translate(error.Message, prefix), Remedy = Translate(error.Remedy, prefix) };
    }

    private static string Translate(string text, string? prefix)
    {
        if (prefix is not null)
            text = Translate(text, $"--{prefix}-", EndpointWords);
        return prefix == "to" ? text : Translate(text, "--", JobWords);
    }

    private static string Translate(string text, string before, string[] words)
    {
        foreach (var word in words)
        {
            var option = before + word.Replace('_', '-');
            text = Regex.Replace(text, $@"(?<![\w/.-]){word}: (?=\w)", option + " ");
            if (word.Contains('_', StringComparison.Ordinal))
                text = Regex.Replace(text, $@"(?<![\w/.-]){word}(?![\w/.-])", option);
        }

        return text;
    }

    private static IEnumerable<string> Words(IEnumerable<SettingKey> keys) => keys
        .SelectMany(k => k.Name is "source" or "target" || k.IsForFilesOnly ? [] : k.Shape == SettingShape.Section ? Words(k.Keys) : [k.Name])
        .Where(n => n != "url").OrderByDescending(n => n.Length);
}
