namespace Imapsync.Imap.Pop3;

/// <summary>Undoes the dots of a multi-line reply (RFC 1939 §3) and finds its end, over pieces that may be cut anywhere. A value, used by one reader.</summary>
internal struct DotUnstuffing
{
    /// <summary>Octets of one piece that may be handed on with the next.</summary>
    public const int MaxHeld = 4;

    private State state;

    public DotUnstuffing() => state = State.LineStart;

    private enum State
    {
        InLine,

        /// <summary>CR was handed on.</summary>
        Cr,
        LineStart,

        /// <summary>A dot at the start of a line is held back.</summary>
        Dot,

        /// <summary>Behind it a CR, held back as well.</summary>
        DotCr,
        Over,
    }

    /// <param name="source">What came.</param>
    /// <param name="target">At least <see cref="MaxHeld"/> octets longer than <paramref name="source"/>.</param>
    /// <param name="taken">How much of it belongs to the reply.</param>
    /// <returns>True once the end was found.</returns>
    public bool Convert(ReadOnlySpan<byte> source, Span<byte> target, out int taken, out int given)
    {
        taken = given = 0;
        while (taken < source.Length && state != State.Over)
        {
            if (state == State.InLine)
            {
                // The bulk of a message: up to the next CR nothing can happen.
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
                // The dot that was put there is dropped; a server that put none before "." and something else meant the same line.
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
