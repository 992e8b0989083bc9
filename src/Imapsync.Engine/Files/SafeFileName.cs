using System.Globalization;
using System.Text;

namespace Imapsync.Engine.Files;

/// <summary>Makes file names from untrusted text. A name is never a path, never hidden, and never that of an existing file.</summary>
public static class SafeFileName
{
    private const int MostBytes = 150;
    private const int MostTries = 10_000;

    /// <summary>
    /// Returns a name made from the text that is valid on every common file system, including exFAT and those of Windows; returns
    /// <paramref name="otherwise"/> if no character of the text can be used.
    /// </summary>
    /// <param name="mostBytes">The maximal length of the name, in octets of UTF-8.</param>
    public static string Of(string? text, string otherwise, int mostBytes = MostBytes)
    {
        var name = new StringBuilder();
        foreach (var rune in (text ?? "").EnumerateRunes())
        {
            var isSafe = Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned) && rune != Rune.ReplacementChar && !"/\\:*?\"<>|".Contains((char)rune.Value, StringComparison.Ordinal);
            name.Append(isSafe ? rune.ToString() : "_");
        }

        var safe = Shortened(name.ToString().TrimStart('.', '-', '~', ' ').TrimEnd('.', ' '), mostBytes).TrimEnd('.', ' ');
        if (safe.Trim('_', ' ').Length == 0)
            return otherwise;
        return WindowsNames.IsDevice(safe) ? "_" + safe : safe;
    }

    /// <summary>
    /// Creates the file under this name, or with a number appended if the name is taken. An existing link is not followed.
    /// </summary>
    public static FileStream Create(string directory, string name)
    {
        var (stem, extension) = (Path.GetFileNameWithoutExtension(name), Path.GetExtension(name));
        for (var i = 1; ; i++)
        {
            var path = Path.Combine(directory, i == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{stem}-{i}{extension}"));
            try
            {
                return new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None);
            }
            catch (IOException) when (Path.Exists(path) && i < MostTries)
            {
                // The name is taken, so try the next number.
            }
        }
    }

    /// <summary>Shortens a name before its extension, because the extension shows the file's type.</summary>
    private static string Shortened(string name, int mostBytes)
    {
        var extension = Path.GetExtension(name);
        extension = extension.Length is > 1 and <= 12 ? extension : "";
        var stem = name[..(name.Length - extension.Length)];
        while (Encoding.UTF8.GetByteCount(stem) + Encoding.UTF8.GetByteCount(extension) > mostBytes)
            stem = stem[..^(char.IsLowSurrogate(stem[^1]) ? 2 : 1)];
        return stem.TrimEnd() + extension;
    }
}
