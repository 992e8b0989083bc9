using System.Text.RegularExpressions;

namespace Imapsync.Engine.Configuration;

/// <summary>Mistakes of settings that were given as options, told in the words of options: <c>password_env</c> is <c>--source-password-env</c>.</summary>
internal static class OptionWords
{
    private static readonly string[] Prefixes = ["source", "target", "to"];
    private static readonly string[] EndpointWords = [.. Words(JobSchema.Endpoint)];
    private static readonly string[] JobWords = [.. Words(JobSchema.Job)];

    /// <summary>Keys are recognised by their underscore, or as <c>key: value</c>: plain words may be meant as such.</summary>
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
