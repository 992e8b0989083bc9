using System.Buffers;
using System.Buffers.Text;

namespace Imapsync.Engine.Stores.Local;

/// <summary>Reads the lines of a <c>dovecot-uidlist</c> or of a <see cref="NameMemory"/> from octets.</summary>
internal static class NameLines
{
    private const int MaxBufferBytes = 256 * 1024;

    /// <summary>Extra space in the buffer, for lines that another program appends to the list while it is read.</summary>
    private const int SpareBytes = 4 * 1024;

    public delegate void LineReader(ReadOnlySpan<byte> line);

    /// <summary>Passes each complete line to the callback. A line longer than the buffer is invalid and skipped.</summary>
    /// <returns>Octets up to the end of the last complete line.</returns>
    public static long Read(Stream file, LineReader onLine)
    {
        // The pooled buffer is as large as the file, because large arrays for many small folders would burden the garbage collector.
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(MaxBufferBytes, file.Length + SpareBytes));
        try
        {
            return Read(file, buffer, onLine);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static long Read(Stream file, byte[] buffer, LineReader onLine)
    {
        var (held, offset, whole) = (0, 0L, 0L);
        var passingOver = false;
        while (true)
        {
            var count = file.Read(buffer, held, buffer.Length - held);
            if (count == 0)
                return whole;
            var data = buffer.AsSpan(0, held + count);
            var start = 0;
            for (int end; (end = data[start..].IndexOf((byte)'\n')) >= 0; start += end + 1)
            {
                if (!passingOver)
                    onLine(data.Slice(start, end));
                passingOver = false;
                whole = offset + start + end + 1;
            }

            if (start == 0 && data.Length == buffer.Length)
            {
                passingOver = true;
                start = data.Length;
            }

            data[start..].CopyTo(buffer);
            held = data.Length - start;
            offset += start;
        }
    }

    /// <summary>Parses <c>uid [fields] :name</c>; false for the header and for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out uint uid, out ReadOnlySpan<byte> name)
    {
        name = default;
        // UID 4294967295 can occur only in a damaged list, since no UIDNEXT could follow it, so it is refused.
        if (!Utf8Parser.TryParse(line, out uid, out var digits) || uid is 0 or uint.MaxValue)
            return false;
        var colon = line[digits..].IndexOf(" :"u8);
        if (colon < 0)
            return false;
        name = line[(digits + colon + 2)..];
        return !name.IsEmpty;
    }
}
