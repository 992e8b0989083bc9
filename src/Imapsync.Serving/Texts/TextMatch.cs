namespace Imapsync.Serving.Texts;

/// <summary>Whether a text contains some words, regardless of case and of line breaks between the words.</summary>
internal static class TextMatch
{
    public static bool Has(string text, string words) =>
        text.Contains(words, StringComparison.OrdinalIgnoreCase)
        || (words.Contains(' ', StringComparison.Ordinal) && text.AsSpan().ContainsAny('\r', '\n', '\t') && InOneLine(text).Contains(words, StringComparison.OrdinalIgnoreCase));

    private static string InOneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
