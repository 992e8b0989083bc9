namespace Imapsync.Serving.Texts;

/// <summary>Whether a text has some words: in any case, and however lines are broken between them.</summary>
internal static class TextMatch
{
    public static bool Has(string text, string words) =>
        text.Contains(words, StringComparison.OrdinalIgnoreCase)
        || (words.Contains(' ', StringComparison.Ordinal) && text.AsSpan().ContainsAny('\r', '\n', '\t') && InOneLine(text).Contains(words, StringComparison.OrdinalIgnoreCase));

    private static string InOneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
