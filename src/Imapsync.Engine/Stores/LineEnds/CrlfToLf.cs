using System.Numerics;
using System.Runtime.Intrinsics;

namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>
/// Removes the CR of each CRLF from a message given in pieces; any other CR stays. Exactly reversible where <see
/// cref="LineEndScanner.SurvivesLf"/>.
/// </summary>
public struct CrlfToLf
{
    private const byte CR = (byte)'\r';
    private const byte LF = (byte)'\n';
    private bool heldCr;

    /// <param name="target">At least one octet longer than the piece; may be the same memory where the message is one piece.</param>
    /// <returns>Octets written. A CR at the end of the piece is held back until the next one or <see cref="Finish"/>.</returns>
    public int Convert(ReadOnlySpan<byte> source, Span<byte> target)
    {
        var written = 0;
        if (heldCr && !source.IsEmpty)
        {
            heldCr = false;
            if (source[0] != LF)
                target[written++] = CR;
        }

        var taken = ConvertVectors(source, target, ref written);
        source = source[taken..];

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

            var keep = source[cr + 1] == LF ? cr : cr + 1;
            source[..keep].CopyTo(target[written..]);
            written += keep;
            source = source[(cr + 1)..];
        }

        return written;
    }

    /// <summary>
    /// Searches and copies in one pass. Where source and target are the same memory, the write position never passes the read position, and
    /// no octet is overwritten before it was read: the target keeps the octets after a CR unchanged.
    /// </summary>
    /// <returns>Octets read.</returns>
    private static int ConvertVectors(ReadOnlySpan<byte> source, Span<byte> target, ref int written)
    {
        // All bits set, then none: a vector loaded at an offset into this table selects that many leading octets.
        ReadOnlySpan<byte> chooser =
        [
            255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        var crs = Vector128.Create(CR);
        var at = 0;

        // One octet more than a vector has to remain, to see what follows a CR at the vector's end.
        while (source.Length - at > Vector128<byte>.Count && target.Length - written >= Vector128<byte>.Count)
        {
            var octets = Vector128.Create(source[at..]);
            var place = target[written..];
            var found = Vector128.Equals(octets, crs).ExtractMostSignificantBits();
            if (found == 0)
            {
                octets.CopyTo(place);
                (at, written) = (at + Vector128<byte>.Count, written + Vector128<byte>.Count);
                continue;
            }

            var cr = BitOperations.TrailingZeroCount(found);
            var keep = source[at + cr + 1] == LF ? cr : cr + 1;
            Vector128.ConditionalSelect(Vector128.Create(chooser[(Vector128<byte>.Count - keep)..]), octets, Vector128.Create((ReadOnlySpan<byte>)place)).CopyTo(place);
            (at, written) = (at + cr + 1, written + keep);
        }

        return at;
    }

    /// <summary>Writes the CR that the message ended with, if it did. Returns 0 or 1, the number of octets written.</summary>
    public int Finish(Span<byte> target)
    {
        if (!heldCr)
            return 0;
        heldCr = false;
        target[0] = CR;
        return 1;
    }
}
