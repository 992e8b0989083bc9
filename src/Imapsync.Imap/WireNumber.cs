using System.Buffers.Text;

namespace Imapsync.Imap;

/// <summary>Parses numbers as servers write them, including <c>9.3736e+06</c> (mail.ru).</summary>
internal static class WireNumber
{
    public static bool TryParse(ReadOnlySpan<byte> text, out long value)
    {
        if (Utf8Parser.TryParse(text, out value, out var read) && read == text.Length)
            return true;
        if (text.Length > 0 && text[0] is >= (byte)'0' and <= (byte)'9' && text.IndexOfAny((byte)'.', (byte)'e', (byte)'E') > 0
            && Utf8Parser.TryParse(text, out double real, out read) && read == text.Length && real is >= 0 and < long.MaxValue)
        {
            value = (long)real;
            return true;
        }

        value = 0;
        return false;
    }

    public static bool TryParse(ReadOnlySpan<byte> text, out ulong value) =>
        Utf8Parser.TryParse(text, out value, out var read) && read == text.Length;

    /// <summary>Parses a UID or UIDVALIDITY; 0 if it is not a valid one.</summary>
    public static uint Parse32(ReadOnlySpan<byte> text) => TryParse(text, out long value) && value is > 0 and <= uint.MaxValue ? (uint)value : 0;

    /// <summary>
    /// Parses a UIDVALIDITY; 0 if it is invalid. Some servers send a time in milliseconds, which exceeds 32 bits. That number is hashed to
    /// 32 bits, because UIDVALIDITYs are only compared with each other.
    /// </summary>
    public static UidValidity ParseValidity(ReadOnlySpan<byte> text)
    {
        if (!TryParse(text, out ulong value) || value <= uint.MaxValue)
            return new UidValidity(Parse32(text));
        var mixed = (uint)((value * 0x9E3779B97F4A7C15) >> 32);
        return new UidValidity(mixed == 0 ? 1 : mixed);
    }

    /// <summary>Parses a modification sequence of at least 1; null for the 0 or -1 that some servers send when they have none.</summary>
    public static ModSeq? ParseModSeq(ReadOnlySpan<byte> text) => TryParse(text, out ulong value) && value > 0 ? new ModSeq(value) : null;
}
