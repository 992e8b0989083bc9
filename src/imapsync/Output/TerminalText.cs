using System.Globalization;
using System.Text;

namespace Imapsync.CommandLine.Output;

/// <summary>Makes text that others chose (folder names, server texts) safe to show on a terminal.</summary>
internal static class TerminalText
{
    private const int MaxLength = 2000;

    /// <summary>
    /// Control characters, which could move the cursor or retitle the window, and direction and line controls, which could
    /// make a name look like another, are written as <c>\x1B</c> or <c>\u202E</c>. Very long text is cut.
    /// </summary>
    public static string Escape(string text)
    {
        var isCut = text.Length > MaxLength;
        if (isCut)
            text = text[..(char.IsHighSurrogate(text[MaxLength - 1]) ? MaxLength - 1 : MaxLength)];
        if (!isCut && !text.Any(NeedsEscape))
            return text;
        var safe = new StringBuilder(text.Length + 16);
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                safe.Append(text[i]).Append(text[++i]);
            else if (NeedsEscape(text[i]))
                safe.Append(text[i] < 0x100 ? $"\\x{(int)text[i]:X2}" : $"\\u{(int)text[i]:X4}");
            else
                safe.Append(text[i]);
        }

        return isCut ? safe.Append('…').ToString() : safe.ToString();
    }

    private static bool NeedsEscape(char c) => char.GetUnicodeCategory(c) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Surrogate;
}
