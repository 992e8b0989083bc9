using System.Numerics;
using System.Runtime.Intrinsics;

namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>
/// Removes the CR of each CRLF from a message given in pieces; any other CR stays. The conversion can be undone exactly if
/// <see cref="LineEndScanner.SurvivesLf"/> is true for the message.
/// </summary>
public struct CrlfToLf
{
    private const byte CR = (byte)'\r';
    private const byte LF = (byte)'\n';
    private bool heldCr;

    /// <param name="target">At least one octet longer than the piece. It may be the same memory if the whole message is one piece.</param>
    /// <returns>The number of octets written. A CR at the end of the piece is held back until the next piece or <see cref="Finish"/>.</returns>
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
    /// Searches and copies in one pass. Source and target may be the same memory: the write position never passes the read position, so no octet is
    /// overwritten before it was read.
    /// </summary>
    /// <returns>The number of octets read.</returns>
    private static int ConvertVectors(ReadOnlySpan<byte> source, Span<byte> target, ref int written)
    {
        // Octets with all bits set, then octets with none. A vector loaded from an offset into this table selects that many leading octets.
        ReadOnlySpan<byte> chooser =
        [
            255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        ];
        var crs = Vector128.Create(CR);
        var at = 0;

        // At least one octet more than a vector has to be left, to see what follows a CR that is the vector's last octet.
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

    /// <summary>Writes the CR that was held back if the message ended with one. Returns the number of octets written, 0 or 1.</summary>
    public int Finish(Span<byte> target)
    {
        if (!heldCr)
            return 0;
        heldCr = false;
        target[0] = CR;
        return 1;
    }
}
