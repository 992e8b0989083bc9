using System.Globalization;
using System.Text;

namespace Imapsync.CommandLine.Output;

/// <summary>Makes untrusted text, such as folder names and server messages, safe to show on a terminal.</summary>
internal static class TerminalText
{
    private const int MaxLength = 2000;

    /// <summary>
    /// Escapes characters that could deceive the reader, as <c>\x1B</c> or <c>\u202E</c>. Control characters could move the cursor or
    /// change the window title. Unicode direction and line controls could make one name look like another. Very long text is truncated.
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
