using System.Text;

namespace Imapsync.Imap;

public enum StatusKind
{
    Ok,
    No,
    Bad,
    Bye,
    PreAuth,
}

/// <summary>OK, NO, BAD, BYE or PREAUTH with its response code and text (RFC 9051 §7.1), tagged and untagged alike.</summary>
public sealed record StatusReply(StatusKind Kind, ResponseCode? Code, string Text)
{
    /// <summary>Texts are kept in reports, one for each message refused: what is longer is cut off.</summary>
    private const int MaxTextBytes = 4096;

    private static readonly (byte[] Word, StatusKind Kind)[] Words =
    [
        ("OK"u8.ToArray(), StatusKind.Ok), ("NO"u8.ToArray(), StatusKind.No), ("BAD"u8.ToArray(), StatusKind.Bad),
        ("BYE"u8.ToArray(), StatusKind.Bye), ("PREAUTH"u8.ToArray(), StatusKind.PreAuth),
    ];

    public bool Has(ResponseCodeKind code) => Code?.Kind == code;

    /// <param name="rest">What follows the tag or asterisk, with its line end.</param>
    internal static StatusReply? TryParse(ReadOnlySpan<byte> rest)
    {
        rest = Wire.LiteralMarker.TrimLineEnd(rest).TrimStart((byte)' ');

        // home.pl and Office 365 send "* [COPYUID …]" without the OK.
        if (rest.Length > 0 && rest[0] == '[')
            return WithText(StatusKind.Ok, rest);
        var end = rest.IndexOf((byte)' ');
        var word = end < 0 ? rest : rest[..end];
        foreach (var (known, kind) in Words)
        {
            if (Ascii.EqualsIgnoreCase(word, known))
                return WithText(kind, end < 0 ? default : rest[end..].TrimStart((byte)' '));
        }

        return null;
    }

    public override string ToString()
    {
        var kind = Kind.ToString().ToUpperInvariant();
        return Code is null ? $"{kind} {Text}".TrimEnd() : $"{kind} [{Code}] {Text}".TrimEnd();
    }

    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> text) => text.Length > MaxTextBytes ? text[..MaxTextBytes] : text;

    private static StatusReply WithText(StatusKind kind, ReadOnlySpan<byte> text)
    {
        var code = ResponseCode.TryParse(text, out var used);
        return new StatusReply(kind, code, Encoding.UTF8.GetString(Cut(text[used..].Trim((byte)' '))));
    }
}
