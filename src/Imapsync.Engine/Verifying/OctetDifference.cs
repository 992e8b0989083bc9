
namespace Imapsync.Engine.Verifying;

/// <summary>Describes how two messages differ that should be equal. Pure.</summary>
internal static class OctetDifference
{
    public static string Describe(ReadOnlySpan<byte> source, ReadOnlySpan<byte> target)
    {
        if (source.SequenceEqual(target))
            return "the same when read again";
        if (EqualBut(source, target, (byte)'\r'))
            return "only line ends differ, as where a server writes CRLF for a bare LF";
        if (EqualBut(source, target, 0))
            return "only NUL octets were left out, which many servers refuse";
        if (target.StartsWith(source) && target[source.Length..].SequenceEqual("\r\n"u8))
            return "the target added a line end after the last line";
        if (target.EndsWith(source) && IsHeader(target[..^source.Length]))
            return $"the target added header fields: {FirstLine(target)}";
        return Locate(source, target);
    }

    private static string Locate(ReadOnlySpan<byte> source, ReadOnlySpan<byte> target)
    {
        var at = source.CommonPrefixLength(target);
        var headerEnd = source.IndexOf("\r\n\r\n"u8);
        var place = headerEnd >= 0 && at > headerEnd ? "body" : "header";
        var lengths = source.Length == target.Length ? $"both have {source.Length} octets" : $"{source.Length} octets, at the target {target.Length}";
        return $"first at octet {at}, in the {place}: {OctetAt(source, at)}, at the target {OctetAt(target, at)}; {lengths}";
    }

    private static string OctetAt(ReadOnlySpan<byte> octets, int at) => at < octets.Length ? $"0x{octets[at]:x2}" : "the end";

    private static bool EqualBut(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b, byte ignored)
    {
        while (true)
        {
            var common = a.CommonPrefixLength(b);
            a = a[common..];
            b = b[common..];
            if (a.IsEmpty && b.IsEmpty)
                return true;
            if (!a.IsEmpty && a[0] == ignored)
                a = a[1..];
            else if (!b.IsEmpty && b[0] == ignored)
                b = b[1..];
            else
                return false;
        }
    }

    private static bool IsHeader(ReadOnlySpan<byte> octets) =>
        octets.EndsWith("\n"u8) && octets.IndexOf((byte)':') is > 0 and var colon && !octets[..colon].ContainsAny(" \t\r\n"u8);

    private static string FirstLine(ReadOnlySpan<byte> octets)
    {
        var end = octets.IndexOf((byte)':');
        return System.Text.Encoding.Latin1.GetString(octets[..Math.Min(end, 80)]);
    }
}
