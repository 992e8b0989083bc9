namespace Imapsync.Engine.Jobs;

/// <summary>
/// Matches texts with <c>*</c> (any characters), <c>?</c> (one character) and, if there are levels, <c>**</c> (any levels). The time is at
/// most proportional to pattern length times text length, because an attacker may have chosen the text.
/// </summary>
internal static class Glob
{
    /// <param name="separator">The character that <c>*</c> and <c>?</c> do not match but <c>**</c> does; null for none.</param>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text, char? separator = null, bool ignoreCase = false)
    {
        // fits[n] tells whether the first n characters of the text match the part of the pattern that was read so far.
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
