using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Engine.Reading;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>
/// Names of messages' files, for people: when the message was received, its subject and its UID, as in <c>2026-11-29 0412 Meeting 17.eml</c>. At
/// most 100 octets, valid on every common file system; the UID makes the name the folder's only one.
/// </summary>
internal static class MessageFileName
{
    public const string Extension = ".eml";
    private const string DateFormat = "yyyy-MM-dd HHmm";
    private const string Undated = "undated";
    private const int MostSubjectBytes = 60;

    /// <summary>Returns the name without number and ending (<see cref="Numbered"/>).</summary>
    /// <param name="subject">As <see cref="SubjectOf"/> returns it.</param>
    public static string Stem(DateTimeOffset date, string subject, Uid uid)
    {
        var beginning = date == default ? Undated : date.ToString(DateFormat, CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{beginning} {(subject.Length == 0 ? "" : subject + " ")}{uid.Value}");
    }

    /// <summary>Returns a whole name. The number, from 2 on, is for names that are taken, and 1 for none.</summary>
    public static string Numbered(string stem, int number) =>
        number == 1 ? stem + Extension : string.Create(CultureInfo.InvariantCulture, $"{stem}-{number}{Extension}");

    /// <summary>Reads a name that this class made; false for any other.</summary>
    /// <param name="beginning">The message's date, as the name begins with it.</param>
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

    /// <summary>Returns the subject as a part of a file's name; empty where there is none.</summary>
    /// <param name="beginning">The message's first octets, the header among them.</param>
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
