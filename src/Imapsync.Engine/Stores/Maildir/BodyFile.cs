using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.LineEnds;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>The lengths and the form of a body as written. They become part of the file's final name.</summary>
/// <param name="BytesOnDisk">The length of the file.</param>
/// <param name="BytesWithCrlf">The length with CRLF line ends, as the source sent it.</param>
/// <param name="IsVerbatim">
/// Whether the body has a bare LF. Then the file has the source's octets unchanged, and its name must be marked.
/// </param>
internal readonly record struct WrittenBody(long BytesOnDisk, long BytesWithCrlf, bool IsVerbatim);

/// <summary>
/// Writes a body from memory into a file with LF line ends, as is usual in a Maildir. If CRLF could not be restored exactly, the body is
/// written unchanged. The file's name is then marked as verbatim if the body has a bare LF. A body with CRCRLF needs no mark, because a
/// reader leaves an LF after a CR as it is.
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
