using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// Encodes folder names as directory names in modified UTF-7, as Dovecot and Courier do. Characters with a meaning to the file system or
/// the layout are encoded, too (<c>.</c> becomes <c>&amp;AC4-</c>). A name too long for a directory is shortened and ends in <c>~</c> and a
/// digest. Then the file <see cref="SideFile"/> in the directory has the whole path.
/// </summary>
internal static class FolderNaming
{
    public const string SideFile = "imapsync-folder";

    /// <summary>
    /// The side file (with the whole folder path) for a directory's new name. It is written before the directory is renamed.
    /// </summary>
    public const string NextSideFile = "imapsync-folder-next";

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");
    private const string Base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    private const int MaxNameLength = 230;
    private const int ShortenedPrefix = 180;
    private const int DigestLength = 16;

    public static string Encode(string level, params ReadOnlySpan<char> reserved)
    {
        var encoded = ModifiedUtf7.Encode(level);
        foreach (var c in reserved)
            encoded = encoded.Replace(c.ToString(), Run(c), StringComparison.Ordinal);
        return encoded;
    }

    public static string EncodeFirst(string encoded) => encoded[0] == '&' ? encoded : Run(encoded[0]) + encoded[1..];

    /// <summary>Decodes a level. Any text is accepted: text that is not modified UTF-7 is returned unchanged.</summary>
    public static string Decode(string encoded) =>
        ModifiedUtf7.TryDecode(WithoutAsciiRuns(encoded), out var level) && level.Length > 0 ? level : encoded;

    /// <summary>
    /// Returns the name itself if a directory can have it. Otherwise returns a shortened name, made unique by a digest of the path.
    /// </summary>
    public static string Fit(string name, FolderPath path)
    {
        if (name.Length <= MaxNameLength)
            return LooksShortened(name) ? string.Concat(name.AsSpan(0, name.Length - DigestLength - 1), Run('~'), name.AsSpan(name.Length - DigestLength)) : name;
        return SetApart(name, path);
    }

    /// <summary>Returns a name with a digest of the path, which makes it unique even on a file system that ignores case.</summary>
    public static string SetApart(string name, FolderPath path)
    {
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.Unicode.GetBytes(path.ToString())))[..DigestLength];
        return $"{CutBetweenRuns(name)}~{digest}";
    }

    public static bool LooksShortened(string name) =>
        name.Length > DigestLength + 1 && name[^(DigestLength + 1)] == '~' && name.AsSpan(name.Length - DigestLength).IndexOfAnyExcept(HexDigits) < 0;

    private static string CutBetweenRuns(string name)
    {
        var cut = name[..Math.Min(name.Length, ShortenedPrefix)];
        var run = cut.LastIndexOf('&');
        if (run >= 0 && cut.IndexOf('-', run) < 0)
            cut = cut[..run];
        cut = cut.TrimEnd('.');

        // If the name is one long base64 run, cutting it leaves nothing, or only the leading dot of Maildir++.
        return cut.Length > 0 ? cut : name[0] == '.' ? ".long" : "long";
    }

    /// <summary>Encodes more characters of a level where these limits require it.</summary>
    public static string Fit(string level, NameLimits limits)
    {
        if (!limits.AreOfWindows)
            return level;
        foreach (var c in @":*?""<>|\")
            level = level.Replace(c.ToString(), Run(c), StringComparison.Ordinal);
        if (level[^1] is '.' or ' ')
            level = level[..^1] + Run(level[^1]);
        return WindowsNames.IsDevice(level) ? EncodeFirst(level) : level;
    }

    private static string Run(char c) => $"&{Base64[c >> 10]}{Base64[(c >> 4) & 63]}{Base64[(c << 2) & 63]}-";

    /// <summary>
    /// Decodes base64 runs that stand for one printable ASCII character. Only this class writes such runs; standard modified UTF-7 has
    /// none.
    /// </summary>
    private static string WithoutAsciiRuns(string encoded)
    {
        if (!encoded.Contains("&A", StringComparison.Ordinal))
            return encoded;
        var result = new StringBuilder(encoded.Length);
        for (var at = 0; at < encoded.Length; at++)
        {
            var end = encoded[at] == '&' ? encoded.IndexOf('-', at) : -1;
            if (end < 0)
            {
                result.Append(encoded[at]);
                continue;
            }

            var run = encoded.AsSpan(at..(end + 1));
            if (AsciiRuns.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(run, out var c))
                result.Append(c == '&' ? "&-" : c.ToString());
            else
                result.Append(run);
            at = end;
        }

        return result.ToString();
    }

    private static Dictionary<string, char> AsciiRuns { get; } = Enumerable.Range(' ', '~' - ' ' + 1).ToDictionary(i => Run((char)i), i => (char)i);
}
