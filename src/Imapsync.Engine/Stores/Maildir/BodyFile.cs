using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.LineEnds;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>The lengths and the form of a body as written. They become part of the file's final name.</summary>
/// <param name="BytesOnDisk">The length of the file.</param>
/// <param name="BytesWithCrlf">The length with CRLF line ends, as the source sent it.</param>
/// <param name="IsVerbatim">Whether the body has a bare LF. The file then has the source's octets unchanged, and its name has to say so.</param>
internal readonly record struct WrittenBody(long BytesOnDisk, long BytesWithCrlf, bool IsVerbatim);

/// <summary>
/// Writes a body that is whole in memory into a file with LF line ends, as Maildirs have them. A body that could not be restored from that form is
/// written unchanged. If the body has a bare LF, the file's name has to be marked as verbatim. If it only has CRCRLF, no mark is needed: each LF
/// follows a CR, so a reader does not change the file's octets.
/// </summary>
internal static class BodyFile
{
    /// <param name="octets">Overwritten by this method.</param>
    public static WrittenBody Write(string path, Span<byte> octets, DateTimeOffset date)
    {
        var lineEnds = default(LineEndScanner);
        lineEnds.Scan(octets);
        if (lineEnds.SurvivesLf)
        {
            var convert = default(CrlfToLf);
            var length = convert.Convert(octets, octets);
            octets = octets[..(length + convert.Finish(octets[length..]))];
        }

        Posix.WriteNew(path, octets, date);
        return new WrittenBody(octets.Length, lineEnds.OctetsWithCrlf, lineEnds.BareLf > 0);
    }

    public static void SetDate(SafeFileHandle file, DateTimeOffset date)
    {
        if (date != default)
            File.SetLastWriteTimeUtc(file, date.UtcDateTime);
    }
}
