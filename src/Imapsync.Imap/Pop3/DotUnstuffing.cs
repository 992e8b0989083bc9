namespace Imapsync.Imap.Pop3;

/// <summary>
/// Removes the dot-stuffing of a multi-line reply (RFC 1939 §3) and finds the reply's end. The reply may arrive in pieces of any size. A mutable
/// struct, for one reader.
/// </summary>
internal struct DotUnstuffing
{
    /// <summary>The most octets that are held back from one piece and written with the next.</summary>
    public const int MaxHeld = 4;

    private State state;

    public DotUnstuffing() => state = State.LineStart;

    private enum State
    {
        InLine,

        /// <summary>A CR was read and passed on.</summary>
        Cr,
        LineStart,

        /// <summary>A dot at the start of a line was read and is held back.</summary>
        Dot,

        /// <summary>A dot at the start of a line and a CR after it were read; both are held back.</summary>
        DotCr,
        Over,
    }

    /// <summary>Converts the next piece of the reply.</summary>
    /// <param name="source">The octets received.</param>
    /// <param name="target">Room for at least <see cref="MaxHeld"/> octets more than <paramref name="source"/>.</param>
    /// <param name="taken">How many octets of <paramref name="source"/> belong to the reply.</param>
    /// <param name="given">How many octets were written to <paramref name="target"/>.</param>
    /// <returns>True once the reply's end has been found.</returns>
    public bool Convert(ReadOnlySpan<byte> source, Span<byte> target, out int taken, out int given)
    {
        taken = given = 0;
        while (taken < source.Length && state != State.Over)
        {
            if (state == State.InLine)
            {
                // Inside a line nothing special can occur before the next CR, so copy everything up to it at once.
                var run = source[taken..].IndexOf((byte)'\r');
                run = run < 0 ? source.Length - taken : run;
                source.Slice(taken, run).CopyTo(target[given..]);
                taken += run;
                given += run;
                if (taken == source.Length)
                    break;
            }

            Step(source[taken++], target, ref given);
        }

        return state == State.Over;
    }

    private void Step(byte octet, Span<byte> target, ref int given)
    {
        switch (state)
        {
            case State.LineStart when octet == '.':
                state = State.Dot;
                return;
            case State.Dot when octet == '\r':
                state = State.DotCr;
                return;
            case State.DotCr when octet == '\n':
                state = State.Over;
                return;
            case State.Dot:
                // Drop the stuffed dot. A dot at the beginning of a line that is not doubled was not stuffed, so keep it.
                if (octet != '.')
                    target[given++] = (byte)'.';
                break;
            case State.DotCr:
                target[given++] = (byte)'.';
                target[given++] = (byte)'\r';
                state = State.Cr;
                break;
        }

        target[given++] = octet;
        state = octet switch
        {
            (byte)'\r' => State.Cr,
            (byte)'\n' when state == State.Cr => State.LineStart,
            _ => State.InLine,
        };
    }
}
