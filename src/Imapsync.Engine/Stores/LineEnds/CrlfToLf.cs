namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>
/// Takes the CR away from each CRLF of a message given in pieces; any other CR stays.
/// Exactly reversible where <see cref="LineEndScanner.SurvivesLf"/>.
/// </summary>
public struct CrlfToLf
{
    private const byte CR = (byte)'\r';
    private bool heldCr;

    /// <param name="target">At least one octet longer than the piece; may be the same memory where the message is one piece.</param>
    /// <returns>Octets written. A CR at the end of the piece is held back until the next one or <see cref="Finish"/>.</returns>
    public int Convert(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var written = 0;
        if (heldCr && !source.IsEmpty)
        {
            heldCr = false;
            if (source[0] != (byte)'\n')
                target[written++] = CR;
        }

        while (!source.IsEmpty)
        {
            var cr = source.IndexOf(CR);
            if (cr < 0 || cr == source.Length - 1)
            {
                heldCr = cr >= 0;
                if (heldCr)
                    source = source[..cr];
                source.CopyTo(target[written..]);
                return written + source.Length;
            }

            var keep = source[cr + 1] == (byte)'\n' ? cr : cr + 1;
            source[..keep].CopyTo(target[written..]);
            written += keep;
            source = source[(cr + 1)..];
        }

        return written;
    }

    /// <summary>Gives the CR that the message ended with, if it did. Returns 0 or 1.</summary>
    public int Finish(Span<byte> target)
    {
        if (!heldCr)
            return 0;
        heldCr = false;
        target[0] = CR;
        return 1;
    }
}
