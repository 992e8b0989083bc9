using System.Buffers;

namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>Counts over whole files.</summary>
public static class LineEndCount
{
    private const int BufferBytes = 128 * 1024;

    /// <summary>The octets the rest of the file has once each LF has a CR before it.</summary>
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
