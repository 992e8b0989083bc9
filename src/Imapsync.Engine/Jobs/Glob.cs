namespace Imapsync.Engine.Jobs;

/// <summary>
/// Matches texts with <c>*</c> (any characters), <c>?</c> (one) and, where there are levels, <c>**</c> (any levels). The pattern is the
/// user's, the text a stranger's: all ways to fit are followed at once, so that the cost is that of their lengths multiplied and no more.
/// </summary>
internal static class Glob
{
    /// <param name="separator">What <c>*</c> and <c>?</c> stop at and <c>**</c> does not; null for nothing.</param>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text, char? separator = null, bool ignoreCase = false)
    {
        // Whether the first so many characters of the text fit the pattern as far as it was read.
        var fits = new bool[text.Length + 1];
        fits[0] = true;
        for (var at = 0; at < pattern.Length; at++)
        {
            if (pattern[at] != '*')
            {
                Step(fits, text, pattern[at], separator, ignoreCase);
                continue;
            }

            var isDeep = pattern[at..].StartsWith("**", StringComparison.Ordinal);
            at += isDeep ? 1 : 0;
            for (var i = 1; i <= text.Length; i++)
                fits[i] |= fits[i - 1] && (isDeep || text[i - 1] != separator);
        }

        return fits[text.Length];
    }

    private static void Step(bool[] fits, ReadOnlySpan<char> text, char wanted, char? separator, bool ignoreCase)
    {
        for (var i = text.Length; i > 0; i--)
        {
            var there = text[i - 1];
            fits[i] = fits[i - 1]
                && (wanted == '?' ? there != separator : there == wanted || (ignoreCase && char.ToUpperInvariant(there) == char.ToUpperInvariant(wanted)));
        }

        fits[0] = false;
    }
}
