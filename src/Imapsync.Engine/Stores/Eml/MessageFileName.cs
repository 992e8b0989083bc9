using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Engine.Reading;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>
/// Makes names for message files that people can read: the time when the message was received, its subject and its UID, for example
/// <c>2026-11-29 0412 Meeting 17.eml</c>. A name has at most 100 octets and is valid on every common file system. The UID makes it unique
/// within the folder.
/// </summary>
internal static class MessageFileName
{
    public const string Extension = ".eml";
    private const string DateFormat = "yyyy-MM-dd HHmm";
    private const string Undated = "undated";
    private const int MostSubjectBytes = 60;

    /// <summary>Returns the file name without its number and extension, which <see cref="Numbered"/> adds.</summary>
    /// <param name="date">When the message was received; default if unknown.</param>
    /// <param name="subject">The result of <see cref="SubjectOf"/>.</param>
    public static string Stem(DateTimeOffset date, string subject, Uid uid)
    {
        var beginning = date == default ? Undated : date.ToString(DateFormat, CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{beginning} {(subject.Length == 0 ? "" : subject + " ")}{uid.Value}");
    }

    /// <summary>Returns the complete file name.</summary>
    /// <param name="number">1 for the name without a number; 2, 3 and so on if the names before are taken.</param>
    public static string Numbered(string stem, int number) =>
        number == 1 ? stem + Extension : string.Create(CultureInfo.InvariantCulture, $"{stem}-{number}{Extension}");

    /// <summary>Parses a file name that this class has made. Returns false for any other name.</summary>
    /// <param name="beginning">The message's date as text, with which the name begins.</param>
    public static bool TryRead(string name, out string beginning, out Uid uid)
    {
        (beginning, uid) = ("", Uid.None);
        if (!EmlTree.IsEml(name) || name.LastIndexOf(' ') is not (> 0 and var blank))
            return false;
        beginning = name.StartsWith(Undated, StringComparison.Ordinal) ? Undated : name[..Math.Min(name.Length, DateFormat.Length)];
        var number = name.AsSpan(blank + 1, name.Length - blank - 1 - Extension.Length);
        var dash = number.IndexOf('-');
        if (!uint.TryParse(dash < 0 ? number : number[..dash], NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            || !(beginning == Undated || DateTime.TryParseExact(beginning, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out _)))
            return false;
        uid = new Uid(value);
        return !uid.IsNone;
    }

    /// <summary>Returns the subject as a part of a file name; empty if the message has none.</summary>
    /// <param name="beginning">The message's first octets, with the whole header or as much of it as was read.</param>
    public static string SubjectOf(ReadOnlyMemory<byte> beginning)
    {
        var end = LineEnds.HeaderEnd.Find(beginning.Span);
        foreach (var (name, value) in HeaderText.Fields(end < 0 ? beginning : beginning[..end]))
        {
            if (name.Equals("Subject", StringComparison.OrdinalIgnoreCase))
                return SafeFileName.Of(string.Join(' ', HeaderText.Decode(value).Split(default(char[]), StringSplitOptions.RemoveEmptyEntries)), "", MostSubjectBytes);
        }

        return "";
    }
}
