using System.Buffers;

namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>Counts line ends over whole files.</summary>
public static class LineEndCount
{
    private const int BufferBytes = 128 * 1024;

    /// <summary>Returns the octets that the rest of the file would have with a CR before each LF.</summary>
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
