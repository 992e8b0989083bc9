namespace Imapsync.Imap.Wire;

/// <summary>The <c>{n}</c>, <c>{n+}</c> or <c>~{n}</c> that ends a line and announces a literal (RFC 9051 §4.3, RFC 3516).</summary>
internal static class LiteralMarker
{
    /// <param name="line">A line with its line end.</param>
    /// <param name="length">The literal's length in octets; -1 if the number is too large to represent.</param>
    /// <param name="start">The position at which the marker begins, including its tilde.</param>
    public static bool TryParse(ReadOnlySpan<byte> line, out long length, out int start)
    {
        length = 0;
        start = 0;
        var text = TrimLineEnd(line);
        if (text.Length < 3 || text[^1] != '}')
            return false;
        var open = text.LastIndexOf((byte)'{');
        if (open < 0)
            return false;
        var digits = text[(open + 1)..^1];
        if (digits.Length > 0 && digits[^1] == '+')
            digits = digits[..^1];
        if (digits.IsEmpty || digits.ContainsAnyExceptInRange((byte)'0', (byte)'9'))
            return false;
        length = Number(digits);
        start = open > 0 && text[open - 1] == '~' ? open - 1 : open;
        return true;
    }

    public static ReadOnlySpan<byte> TrimLineEnd(ReadOnlySpan<byte> line)
    {
        if (line.Length > 0 && line[^1] == '\n')
            line = line[..^1];
        return line.Length > 0 && line[^1] == '\r' ? line[..^1] : line;
    }

    private static long Number(ReadOnlySpan<byte> digits)
    {
        long value = 0;
        foreach (var digit in digits)
        {
            if (value > (long.MaxValue - 9) / 10)
                return -1;
            value = (value * 10) + (digit - '0');
        }

        return value;
    }
}
