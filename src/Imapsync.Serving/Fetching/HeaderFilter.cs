namespace Imapsync.Serving.Fetching;

/// <summary>Extracts fields from a header without changing an octet (RFC 9051 §6.4.5.1, HEADER.FIELDS).</summary>
internal static class HeaderFilter
{
    /// <summary>
    /// Returns the selected fields with all their lines, and the empty line after the header. For HEADER.FIELDS.NOT there is no
    /// empty line if the message has none.
    /// </summary>
    /// <param name="isNot">Whether to return all fields except the named ones.</param>
    public static byte[] Apply(ReadOnlySpan<byte> header, IReadOnlyList<string> names, bool isNot)
    {
        using var chosen = new MemoryStream();
        var (takes, hasEmptyLine) = (false, false);
        while (!header.IsEmpty)
        {
            var end = header.IndexOf((byte)'\n');
            var line = end < 0 ? header : header[..(end + 1)];
            header = header[line.Length..];
            if (line.TrimEnd("\r\n"u8).IsEmpty)
            {
                hasEmptyLine = true;
                continue;
            }

            if (line[0] is not ((byte)' ' or (byte)'\t'))
                takes = IsNamed(line, names) != isNot;
            if (takes)
                chosen.Write(line);
        }

        if (hasEmptyLine || !isNot)
            chosen.Write("\r\n"u8);
        return chosen.ToArray();
    }

    private static bool IsNamed(ReadOnlySpan<byte> line, IReadOnlyList<string> names)
    {
        var colon = line.IndexOf((byte)':');
        var name = colon < 0 ? default : line[..colon].TrimEnd(" \t"u8);
        foreach (var wanted in names)
        {
            if (System.Text.Ascii.EqualsIgnoreCase(name, wanted))
                return true;
        }

        return false;
    }
}
