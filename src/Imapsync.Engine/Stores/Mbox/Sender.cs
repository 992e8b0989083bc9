using System.Text;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>Finds the address for a postmark: from Return-Path, otherwise from the From field, otherwise MAILER-DAEMON.</summary>
internal static class Sender
{
    public const string Unknown = "MAILER-DAEMON";

    /// <summary>How many octets from the beginning of a message are searched.</summary>
    public const int LookAheadBytes = 8 << 10;

    public static string Find(ReadOnlySpan<byte> beginning)
    {
        string? from = null;
        while (!beginning.IsEmpty)
        {
            var end = beginning.IndexOf((byte)'\n');
            var line = end < 0 ? beginning : beginning[..end];
            beginning = end < 0 ? [] : beginning[(end + 1)..];
            if (line.Trim((byte)'\r').IsEmpty)
                break;
            if (MetadataNames.IsField(line, "Return-Path"u8))
                return Address(line) ?? Unknown;
            if (from is null && MetadataNames.IsField(line, "From"u8))
                from = Address(line);
        }

        return from ?? Unknown;
    }

    private static string? Address(ReadOnlySpan<byte> line)
    {
        var value = line[(line.IndexOf((byte)':') + 1)..];
        var open = value.LastIndexOf((byte)'<');
        if (open >= 0)
        {
            value = value[(open + 1)..];
            var close = value.IndexOf((byte)'>');
            value = close < 0 ? [] : value[..close];
        }

        value = value.Trim(" \t\r"u8);
        var isAddress = value.Length is > 2 and <= 254 && value.Contains((byte)'@') && !value.ContainsAnyExceptInRange((byte)'!', (byte)'~');
        return isAddress ? Encoding.ASCII.GetString(value) : null;
    }
}
