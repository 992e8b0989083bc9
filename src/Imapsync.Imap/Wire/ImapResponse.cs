using System.Text;

namespace Imapsync.Imap.Wire;

internal enum ResponseKind
{
    /// <summary>Makes no sense.</summary>
    Unknown,
    Continuation,

    /// <summary>An untagged OK, NO, BAD, BYE or PREAUTH.</summary>
    Status,

    /// <summary>Untagged data.</summary>
    Data,
    Tagged,
}

/// <summary>One frame read as a reply (RFC 9051 §7).</summary>
internal ref struct ImapResponse
{
    public ResponseKind Kind;

    public ReadOnlySpan<byte> Tag;

    /// <summary>The number of <c>* 12 FETCH</c>; null where there is none.</summary>
    public uint? Number;

    /// <summary>LIST, FETCH …</summary>
    public ReadOnlySpan<byte> Name;

    /// <summary>What follows the name.</summary>
    public Tokenizer Arguments;

    /// <summary>Of tagged and status replies.</summary>
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
