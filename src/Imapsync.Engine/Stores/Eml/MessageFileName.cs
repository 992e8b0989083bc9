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
    private const int MostSubjectBytes = 60;

    /// <param name="subject">As <see cref="SubjectOf"/> returns it.</param>
    /// <param name="isTaken">Whether a file or directory of that name exists.</param>
    public static string Of(DateTimeOffset date, string subject, Uid uid, Func<string, bool> isTaken)
    {
        var beginning = date == default ? "undated" : date.ToString("yyyy-MM-dd HHmm", CultureInfo.InvariantCulture);
        return Free(string.Create(CultureInfo.InvariantCulture, $"{beginning} {(subject.Length == 0 ? "" : subject + " ")}{uid.Value}"), isTaken);
    }

    /// <summary>Returns the name, or, where that is taken, the name with a number.</summary>
    /// <param name="stem">The name without its ending.</param>
    public static string Free(string stem, Func<string, bool> isTaken)
    {
        var name = stem + Extension;
        for (var number = 2; isTaken(name); number++)
            name = string.Create(CultureInfo.InvariantCulture, $"{stem}-{number}{Extension}");
        return name;
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
