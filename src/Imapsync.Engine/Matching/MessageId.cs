using System.Text;

namespace Imapsync.Engine.Matching;

/// <summary>A Message-ID (RFC 5322 §3.6.4) in the form used for comparison: without brackets, comments and white space.</summary>
public static class MessageId
{
    /// <summary>Returns the Message-ID of a header; empty where it has none.</summary>
    public static string Of(ReadOnlySpan<byte> header) => Normalize(Encoding.Latin1.GetString(MessageFingerprint.Find(header, "Message-ID")));

    /// <summary>Brings a Message-ID that a person wrote, with or without brackets, into the form used for comparison.</summary>
    public static string Normalize(string text)
    {
        var open = text.IndexOf('<', StringComparison.Ordinal);
        var close = text.IndexOf('>', open + 1);
        var inner = open >= 0 && close > open ? text[(open + 1)..close] : text;
        return string.Concat(inner.Where(c => !char.IsWhiteSpace(c)));
    }
}
