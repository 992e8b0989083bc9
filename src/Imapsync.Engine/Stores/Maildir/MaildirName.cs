using System.Text;
using System.Globalization;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// The parts of a message's file name: the unique name, which never changes, and the info part after it. The unique name has three fields.
/// <c>,S=</c>: octets on disk. <c>,W=</c>: octets with CRLF line ends. <c>,L=1</c> (this program's only): the file holds the message's
/// octets unchanged, including bare LFs.
/// </summary>
internal static class MaildirName
{
    private const string VerbatimField = ",L=1";

    /// <summary>
    /// Returns where the info part begins: at <c>:2,</c>, or at a separator that programs use on file systems without colons. Returns the
    /// name's length where there is no info part.
    /// </summary>
    public static int InfoStart(ReadOnlySpan<char> name)
    {
        for (var end = name.Length; ;)
        {
            var at = name[..end].LastIndexOfAny(':', ';', '!');
            if (at < 0)
            {
                // A unique name contains no colon, so the info part begins at a colon whatever follows.
                var colon = name.IndexOf(':');
                return colon < 0 ? name.Length : colon;
            }

            if (name[(at + 1)..].StartsWith("2,") || name[(at + 1)..].StartsWith("1,"))
                return at;
            end = at;
        }
    }

    public static bool IsVerbatim(ReadOnlySpan<char> uniqueName)
    {
        var at = uniqueName.IndexOf(VerbatimField);
        return at >= 0 && (at + VerbatimField.Length == uniqueName.Length || uniqueName[at + VerbatimField.Length] == ',');
    }

    /// <summary>
    /// Returns the length with CRLF line ends from the name. -1 if the name has none, or if the name's file length is wrong.
    /// </summary>
    public static long SizeWithCrlf(ReadOnlySpan<char> uniqueName, long fileLength) =>
        Number(uniqueName, ",S=") == fileLength && Number(uniqueName, ",W=") is var size && size >= fileLength && size <= 2 * fileLength ? size : -1;

    /// <summary>Returns the file length that the name states; -1 where it states none.</summary>
    public static long SizeOnDisk(ReadOnlySpan<char> uniqueName) => Number(uniqueName, ",S=");

    public static string WithFields(string deliveryName, long bytesOnDisk, long bytesWithCrlf, bool verbatim) =>
        string.Create(CultureInfo.InvariantCulture, $"{deliveryName},S={bytesOnDisk},W={bytesWithCrlf}{(verbatim ? VerbatimField : "")}");

    private static long Number(ReadOnlySpan<char> name, string field)
    {
        var at = name.IndexOf(field, StringComparison.Ordinal);
        if (at < 0)
            return -1;
        name = name[(at + field.Length)..];
        var end = name.IndexOfAnyExceptInRange('0', '9');
        return long.TryParse(end < 0 ? name : name[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : -1;
    }

    /// <summary>Returns the unique name in a line of a uidlist. Removes the info part, which names in old uidlists have.</summary>
    public static string UniqueNameOf(ReadOnlySpan<byte> name)
    {
        if (name.IndexOfAny((byte)':', (byte)';', (byte)'!') < 0)
            return Encoding.UTF8.GetString(name);
        var text = Encoding.UTF8.GetString(name);
        return text[..InfoStart(text)];
    }
}
