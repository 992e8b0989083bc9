namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>Finds where a message's header ends, whatever its line ends are.</summary>
internal static class HeaderEnd
{
    /// <summary>Returns the position after the first empty line, or -1. The search begins at <paramref name="from"/>.</summary>
    public static int Find(ReadOnlySpan<byte> octets, int from = 0)
    {
        if (octets.StartsWith("\n"u8))
            return 1;
        if (octets.StartsWith("\r\n"u8))
            return 2;
        for (int next; (next = octets[from..].IndexOf((byte)'\n')) >= 0;)
        {
            from += next + 1;
            if (octets[from..].StartsWith("\n"u8))
                return from + 1;
            if (octets[from..].StartsWith("\r\n"u8))
                return from + 2;
        }

        return -1;
    }
}
