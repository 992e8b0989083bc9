using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// Encodes a level of a folder path as a file name and back. Characters that a file name can't have, and <c>%</c> itself, are written as <c>%</c> and
/// two hex digits for each octet of UTF-8 (<c>%uXXXX</c> for half a surrogate pair). So is the dot of a name that would look like a side file, which
/// is a file that accompanies the mail, such as a lock or an index. A name that gets too long is shortened to its beginning, <c>~</c> and a digest; a
/// side file then has the full name.
/// </summary>
internal static class FileNames
{
    /// <summary>The suffix of the directory that holds a folder's child folders.</summary>
    public const string ChildrenSuffix = ".sbd";

    public const string LockSuffix = ".lock";

    /// <summary>The beginning of all suffixes of this program's own files.</summary>
    public const string OwnSuffix = ".imapsync-";

    public const string IndexSuffix = OwnSuffix + "index";

    public const string NewSuffix = OwnSuffix + "new";

    public const string NameSuffix = OwnSuffix + "name";

    /// <summary>File names have at most 255 octets; this limit leaves space for the suffixes of side files.</summary>
    private const int MaxBytes = 200;

    private const int DigestLength = 32;

    public static string Escape(string level)
    {
        var text = EscapeCharacters(level, c => c is '/' or '\\');
        if (text[0] == '.')
            text = "%2E" + text[1..];
        foreach (var suffix in new[] { ChildrenSuffix, LockSuffix, ".mbox" })
        {
            if (text.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                text = text[..^suffix.Length] + "%2E" + text[^(suffix.Length - 1)..];
        }

        return EscapeOwnSuffixes(text);
    }

    /// <summary>
    /// As <see cref="Escape"/>, for file systems where no name may contain <c>: * ? " &lt; &gt; |</c>, end in a dot or a blank, or be that of
    /// a device (<see cref="NameLimits"/>).
    /// </summary>
    public static string EscapeForWindows(string level)
    {
        var text = new StringBuilder();
        foreach (var c in Escape(level))
        {
            if (c is ':' or '*' or '?' or '"' or '<' or '>' or '|')
                text.Append(CultureInfo.InvariantCulture, $"%{(int)c:X2}");
            else
                text.Append(c);
        }

        if (text[^1] is '.' or ' ')
        {
            var last = text[^1];
            text.Length--;
            text.Append(CultureInfo.InvariantCulture, $"%{(int)last:X2}");
        }

        if (WindowsNames.IsDevice(text.ToString()))
            text.Remove(0, 1).Insert(0, $"%{(int)level[0]:X2}");
        return text.ToString();
    }

    /// <summary>Returns whether the name is that of a file that accompanies an mbox and is not an mbox itself.</summary>
    public static bool IsSideFile(string name) =>
        name.Contains(OwnSuffix, StringComparison.OrdinalIgnoreCase) || name.EndsWith(LockSuffix, StringComparison.OrdinalIgnoreCase);

    /// <summary>Escapes a word so that only printable ASCII is left, without blanks and commas, which separate words.</summary>
    public static string EscapeWord(string word) => EscapeCharacters(word, c => c is ' ' or ',' or > '~');

    public static string Unescape(string name)
    {
        if (!name.Contains('%'))
            return name;
        var octets = new List<byte>();
        var text = new StringBuilder();
        for (var i = 0; i < name.Length;)
        {
            if (name[i] == '%' && TryHex(name, i + 1, 2, out var octet))
            {
                octets.Add((byte)octet);
                i += 3;
                continue;
            }

            Release(octets, text);
            if (name[i] == '%' && i + 1 < name.Length && name[i + 1] == 'u' && TryHex(name, i + 2, 4, out var half))
            {
                text.Append((char)half);
                i += 6;
                continue;
            }

            text.Append(name[i++]);
        }

        Release(octets, text);
        return text.ToString();
    }

    /// <summary>Returns the level that a file name stands for. A name that <see cref="Escape"/> never returns stands for itself.</summary>
    public static string ToLevel(string name)
    {
        var level = Unescape(name);
        return level.Length > 0 && (Escape(level) == name || EscapeForWindows(level) == name) && !NeedsDigest(level) ? level : name;
    }

    /// <summary>Returns whether the level is too long, or looks like the shortened form of a level that is too long.</summary>
    public static bool NeedsDigest(string level)
    {
        var name = Escape(level);
        return Encoding.UTF8.GetByteCount(name) > MaxBytes || LooksDigested(name);
    }

    public static string Digest(string level) => Digest(level, Escape(level));

    public static string DigestForWindows(string level) => Digest(level, EscapeForWindows(level));

    private static string Digest(string level, string name)
    {
        var start = new StringBuilder();
        var bytes = 0;
        foreach (var rune in name.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > 60)
                break;
            start.Append(rune.ToString());
        }

        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(Escape(level)));
        return start.ToString() + '~' + Convert.ToHexStringLower(digest)[..DigestLength];
    }

    /// <summary>Escapes the dot of each <see cref="OwnSuffix"/>, which is found in any letter case. The letters stay as they are.</summary>
    private static string EscapeOwnSuffixes(string text)
    {
        var at = text.IndexOf(OwnSuffix, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return text;
        var escaped = new StringBuilder(text.Length + 2);
        var done = 0;
        for (; at >= 0; at = text.IndexOf(OwnSuffix, done, StringComparison.OrdinalIgnoreCase))
        {
            escaped.Append(text, done, at - done).Append("%2E");
            done = at + 1;
        }

        return escaped.Append(text, done, text.Length - done).ToString();
    }

    public static bool LooksDigested(string name) =>
        name.Length > DigestLength && name[^(DigestLength + 1)] == '~' && name[^DigestLength..].All(char.IsAsciiHexDigitLower);

    private static string EscapeCharacters(string text, Predicate<char> also)
    {
        var escaped = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (char.IsSurrogate(c) && !(i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1])))
                escaped.Append(CultureInfo.InvariantCulture, $"%u{(int)c:X4}");
            else if (c == '%' || char.IsControl(c) || also(c))
                AppendHex(escaped, text.AsSpan(i, char.IsSurrogate(c) ? 2 : 1));
            else
                escaped.Append(text, i, char.IsSurrogate(c) ? 2 : 1);
            if (char.IsSurrogate(c) && i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1]))
                i++;
        }

        return escaped.ToString();
    }

    private static void AppendHex(StringBuilder escaped, ReadOnlySpan<char> text)
    {
        Span<byte> octets = stackalloc byte[4];
        foreach (var octet in octets[..Encoding.UTF8.GetBytes(text, octets)])
            escaped.Append(CultureInfo.InvariantCulture, $"%{octet:X2}");
    }

    private static void Release(List<byte> octets, StringBuilder text)
    {
        text.Append(Encoding.UTF8.GetString([.. octets]));
        octets.Clear();
    }

    private static bool TryHex(string text, int at, int length, out int value)
    {
        value = 0;
        return at + length <= text.Length
            && int.TryParse(text.AsSpan(at, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
