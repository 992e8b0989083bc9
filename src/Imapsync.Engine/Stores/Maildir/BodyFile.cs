using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.LineEnds;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>The lengths and the form of a body as written, which become part of the file's final name.</summary>
internal readonly record struct WrittenBody(long BytesOnDisk, long BytesWithCrlf, bool IsVerbatim);

/// <summary>
/// Writes a body that is whole in memory into a file with LF line ends. A body that could not be restored from that form is written unchanged. If
/// only its CRCRLFs are the reason, every LF has its CR and reading leaves the file unchanged; with a bare LF the name needs the mark of a
/// verbatim file.
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
