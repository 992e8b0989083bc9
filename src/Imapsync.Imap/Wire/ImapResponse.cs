using System.Text;

namespace Imapsync.Imap.Wire;

internal enum ResponseKind
{
    /// <summary>A reply that can't be understood.</summary>
    Unknown,
    Continuation,

    /// <summary>An untagged OK, NO, BAD, BYE or PREAUTH.</summary>
    Status,

    /// <summary>Untagged data.</summary>
    Data,
    Tagged,
}

/// <summary>One frame parsed as a reply (RFC 9051 §7).</summary>
internal ref struct ImapResponse
{
    public ResponseKind Kind;

    public ReadOnlySpan<byte> Tag;

    /// <summary>The number in <c>* 12 FETCH</c>; null if the reply has none.</summary>
    public uint? Number;

    /// <summary>The reply's name, e.g. LIST or FETCH.</summary>
    public ReadOnlySpan<byte> Name;

    /// <summary>The tokens after the name.</summary>
    public Tokenizer Arguments;

    /// <summary>The status; only set for tagged replies and status replies.</summary>
    public StatusReply? Status;

    public readonly bool Is(ReadOnlySpan<byte> name) => Kind == ResponseKind.Data && Ascii.EqualsIgnoreCase(Name, name);

    public static ImapResponse Parse(ReadOnlySpan<byte> frame, int bodyAt, ImapLimits limits)
    {
        var response = default(ImapResponse);
        if (frame.Length > 0 && frame[0] == '+')
        {
            response.Kind = ResponseKind.Continuation;
            response.Name = LiteralMarker.TrimLineEnd(frame[1..]).TrimStart((byte)' ');
            return response;
        }

        var tokens = new Tokenizer(frame, bodyAt, limits.MaxNesting);
        var first = tokens.Next();
        if (first.Kind != TokenKind.Atom)
            return response;
        if (!first.Raw.SequenceEqual("*"u8))
        {
            response.Status = StatusParser.TryParse(tokens.Rest, limits);
            response.Tag = first.Raw;
            response.Kind = response.Status is { Kind: StatusKind.Ok or StatusKind.No or StatusKind.Bad } ? ResponseKind.Tagged : ResponseKind.Unknown;
            return response;
        }

        response.Status = StatusParser.TryParse(tokens.Rest, limits);
        if (response.Status is not null)
        {
            response.Kind = ResponseKind.Status;
            return response;
        }

        var name = tokens.Next();
        if (name.Kind == TokenKind.Atom && WireNumber.TryParse(name.Raw, out long number))
        {
            response.Number = number is >= 0 and <= uint.MaxValue ? (uint)number : null;
            name = tokens.Next();
        }

        if (name.Kind != TokenKind.Atom)
            return response;
        response.Kind = ResponseKind.Data;
        response.Name = name.Raw;
        response.Arguments = tokens;
        return response;
    }
}
