using System.Buffers;
using System.Text;

namespace Imapsync.Imap.Wire;

internal enum FrameStatus
{
    /// <summary>The whole input was consumed and the reply is not complete yet.</summary>
    NeedMore,

    /// <summary>A complete reply.</summary>
    Frame,

    /// <summary>A reply up to a message body. The body's octets come next, and the frame reader must not consume them.</summary>
    Body,
}

/// <summary>
/// Splits the octets from the server into replies: lines, or lines joined by literals. It reads what the buffer contains and never awaits.
/// A reply is returned as a view of the input, or assembled here if it is fragmented or contains literals. A body literal (after <c>]</c>
/// or <c>&gt;</c> in a FETCH) is left for streaming. Throws <see cref="ImapProtocolException"/> when a limit is exceeded.
/// </summary>
internal sealed class FrameReader(ImapLimits limits)
{
    private byte[] held = new byte[1024];
    private int length;
    private int lineStart;
    private int literalLeft;
    private bool isDelivered;

    /// <summary>
    /// The position of the streamed body in the frame, directly after its literal marker's line end; -1 if there is none.
    /// </summary>
    public int BodyAt { get; private set; } = -1;

    /// <summary>The length in octets of the body that <see cref="FrameStatus.Body"/> announced.</summary>
    public long BodyLength { get; private set; }

    /// <summary>True between replies, where the connection may end without losing part of a reply.</summary>
    public bool IsAtBoundary => length == 0 || isDelivered;

    /// <param name="frame">Valid until the next call and no longer than the input.</param>
    public FrameStatus Read(ref SequenceReader<byte> input, out ReadOnlySpan<byte> frame)
    {
        if (isDelivered)
            Reset();
        while (!input.End)
        {
            var span = input.UnreadSpan;
            if (literalLeft > 0)
            {
                var part = span[..Math.Min(literalLeft, span.Length)];
                Hold(part);
                literalLeft -= part.Length;
                lineStart = length;
                input.Advance(part.Length);
                continue;
            }

            var end = span.IndexOf((byte)'\n');
            var line = end < 0 ? span : span[..(end + 1)];
            input.Advance(line.Length);
            if (line.Length + length - lineStart > limits.MaxLineBytes)
                throw new ImapProtocolException($"the server sent a line longer than {limits.MaxLineBytes} octets");
            if (end >= 0 && length == 0 && !(IsData(line) && LiteralMarker.TryParse(line, out _, out _)))
            {
                BodyAt = -1;
                frame = line;
                return FrameStatus.Frame;
            }

            Hold(line);
            if (end >= 0 && EndLine(out frame) is { } status)
                return status;
        }

        frame = default;
        return FrameStatus.NeedMore;
    }

    private FrameStatus? EndLine(out ReadOnlySpan<byte> frame)
    {
        frame = held.AsSpan(0, length);
        if (!IsData(frame) || !LiteralMarker.TryParse(frame[lineStart..], out var octets, out var marker))
        {
            isDelivered = true;
            return FrameStatus.Frame;
        }

        var before = frame[..(lineStart + marker)];
        lineStart = length;
        if (BodyAt < 0 && IsFetch(frame) && EndsInSection(before))
        {
            BodyAt = length;
            BodyLength = octets >= 0 && octets <= limits.MaxBodyBytes ? octets : throw new ImapProtocolException("the server announced a body of impossible size");
            return FrameStatus.Body;
        }

        if (octets < 0 || octets > limits.MaxInlineLiteralBytes)
            throw new ImapProtocolException($"the server announced a literal longer than {limits.MaxInlineLiteralBytes} octets");
        literalLeft = (int)octets;
        return null;
    }

    /// <summary>
    /// Whether the reply can contain literals. Status lines, tagged replies and continuations can't, because their free text may look
    /// like a literal marker by accident.
    /// </summary>
    private static bool IsData(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < 3 || frame[0] != '*' || frame[1] != ' ')
            return false;
        var word = frame[2..].TrimStart((byte)' ');
        var end = word.IndexOfAny((byte)' ', (byte)'\r', (byte)'\n');
        word = end < 0 ? word : word[..end];
        return !(Ascii.EqualsIgnoreCase(word, "OK"u8) || Ascii.EqualsIgnoreCase(word, "NO"u8) || Ascii.EqualsIgnoreCase(word, "BAD"u8)
            || Ascii.EqualsIgnoreCase(word, "BYE"u8) || Ascii.EqualsIgnoreCase(word, "PREAUTH"u8));
    }

    private static bool IsFetch(ReadOnlySpan<byte> frame)
    {
        var text = frame[2..].TrimStart((byte)' ');
        var digits = text.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (digits <= 0)
            return false;
        text = text[digits..].TrimStart((byte)' ');
        return text.Length > 5 && Ascii.EqualsIgnoreCase(text[..5], "FETCH"u8);
    }

    private static bool EndsInSection(ReadOnlySpan<byte> before)
    {
        before = before.TrimEnd((byte)' ');
        return before.Length > 0 && before[^1] is (byte)']' or (byte)'>';
    }

    private void Hold(ReadOnlySpan<byte> part)
    {
        if (length + part.Length > limits.MaxFrameBytes)
            throw new ImapProtocolException($"the server sent a reply longer than {limits.MaxFrameBytes} octets");
        if (length + part.Length > held.Length)
            Array.Resize(ref held, Math.Max(held.Length * 2, length + part.Length));
        part.CopyTo(held.AsSpan(length));
        length += part.Length;
    }

    private void Reset()
    {
        length = 0;
        lineStart = 0;
        BodyAt = -1;
        isDelivered = false;
        if (held.Length > 1 << 16)
            held = new byte[1024];
    }
}
