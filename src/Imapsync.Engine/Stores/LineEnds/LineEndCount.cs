using System.Buffers;

namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>Counts the line ends of whole files.</summary>
public static class LineEndCount
{
    private const int BufferBytes = 128 * 1024;

    /// <summary>Returns how many octets the rest of the file would have if each LF had a CR before it.</summary>
    public static long OctetsWithCrlf(Stream file)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            var lineEnds = default(LineEndScanner);
            for (int count; (count = file.Read(buffer)) > 0;)
                lineEnds.Scan(buffer.AsSpan(0, count));
            return lineEnds.OctetsWithCrlf;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
