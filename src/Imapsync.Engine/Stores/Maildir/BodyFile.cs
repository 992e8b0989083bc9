using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.LineEnds;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>What was written of a body: all that the file's final name tells.</summary>
internal readonly record struct WrittenBody(long BytesOnDisk, long BytesWithCrlf, bool IsVerbatim);

/// <summary>
/// Writes a body that is whole in memory into a file with LF line ends. A body that would not come back the same is kept as it came:
/// with CRCRLF alone every LF has its CR and nobody changes it; with a bare LF it needs the mark of a verbatim file.
/// </summary>
internal static class BodyFile
{
    /// <param name="octets">Overwritten.</param>
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
