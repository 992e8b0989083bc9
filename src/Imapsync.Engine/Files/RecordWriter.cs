using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace Imapsync.Engine.Files;

/// <summary>
/// Encodes records, one per line, with fields separated by blanks. The last field is a CRC-32C in eight hexadecimal digits over this line's
/// fields and all earlier lines. So a lost, moved or inserted line breaks the chain.
/// </summary>
/// <param name="previousCrc">The CRC of the last line in the file; 0 for none.</param>
/// <param name="isChained">False if each line has a CRC of its own, over this line only.</param>
internal sealed class RecordWriter(uint previousCrc = 0, bool isChained = true)
{
    /// <summary>The maximal length of a line, so that a reader's memory is bounded.</summary>
    public const int MaxLineBytes = 16 * 1024 * 1024;

    private const int CrcBytes = 1 + 8;

    private ArrayBufferWriter<byte> buffer = new();
    private int lineStart;

    /// <summary>The CRC of the last line written.</summary>
    public uint Crc { get; private set; } = previousCrc;

    public ReadOnlyMemory<byte> Written => buffer.WrittenMemory;

    public bool IsEmpty => buffer.WrittenCount == 0;

    /// <summary>Returns the lines written so far. Later lines continue their chain of CRCs in an empty buffer.</summary>
    public ReadOnlyMemory<byte> Take()
    {
        var taken = buffer.WrittenMemory;
        buffer = new ArrayBufferWriter<byte>();
        lineStart = 0;
        return taken;
    }

    /// <summary>
    /// Discards the lines written so far, once they have been saved. Later lines continue their chain of CRCs in the same buffer.
    /// </summary>
    public void Clear()
    {
        buffer.ResetWrittenCount();
        lineStart = 0;
    }

    public RecordWriter Begin(ReadOnlySpan<byte> word)
    {
        buffer.Write(word);
        return this;
    }

    public RecordWriter Add(ulong number)
    {
        var span = buffer.GetSpan(21);
        span[0] = (byte)' ';
        Utf8Formatter.TryFormat(number, span[1..], out var length);
        buffer.Advance(length + 1);
        return this;
    }

    /// <summary>Adds a checksum in eight hexadecimal digits.</summary>
    public RecordWriter AddHex(uint number)
    {
        FormatCrc(number, buffer.GetSpan(CrcBytes));
        buffer.Advance(CrcBytes);
        return this;
    }

    /// <summary>Adds any string, escaped.</summary>
    public RecordWriter Add(string? text) => AddRaw(FieldEscaping.Escape(text));

    /// <summary>Adds text without blanks and control characters.</summary>
    public RecordWriter AddRaw(string text)
    {
        buffer.Write(" "u8);
        Encoding.UTF8.GetBytes(text, buffer);
        return this;
    }

    public void End()
    {
        var line = buffer.WrittenSpan[lineStart..];
        if (line.Length > MaxLineBytes - CrcBytes - 1)
            throw new ArgumentException($"a record of {line.Length} octets is more than a line may have");
        Crc = Crc32C.Append(isChained ? Crc : 0, line);
        var span = buffer.GetSpan(CrcBytes + 1);
        FormatCrc(Crc, span);
        span[CrcBytes] = (byte)'\n';
        buffer.Advance(CrcBytes + 1);
        lineStart = buffer.WrittenCount;
    }

    /// <summary>Writes a blank and the CRC's eight hexadecimal digits.</summary>
    public static void FormatCrc(uint crc, Span<byte> span)
    {
        span[0] = (byte)' ';
        Utf8Formatter.TryFormat(crc, span[1..], out _, new StandardFormat('x', 8));
    }

    /// <summary>Splits a complete line, without its line end, into fields and CRC.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> fields, out uint crc)
    {
        fields = default;
        crc = 0;
        if (line.Length <= CrcBytes || line[^CrcBytes] != ' ' || line[^8..].IndexOfAnyInRange((byte)'A', (byte)'F') >= 0
            || !Utf8Parser.TryParse(line[^8..], out crc, out var used, 'x') || used != 8)
            return false;
        fields = line[..^CrcBytes];
        return true;
    }
}
