using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>Counts the line ends of a message given in pieces, to find out whether the message survives being stored with LF line ends.</summary>
public struct LineEndScanner
{
    private const byte CR = (byte)'\r';
    private const byte LF = (byte)'\n';

    // The last two octets of the previous piece, since a line end may be split between two pieces.
    private byte last;
    private byte lastButOne;

    /// <summary>LFs with a CR before them.</summary>
    public long Crlf { get; private set; }

    /// <summary>LFs without a CR before them. Stored with LF line ends, they would be restored as CRLF.</summary>
    public long BareLf { get; private set; }

    /// <summary>CRCRLFs. Stored with one CR removed, they look like CRLF, so nothing shows that the removed CR has to be restored.</summary>
    public long CrCrlf { get; private set; }

    public long Octets { get; private set; }

    /// <summary>Whether CRLF → LF → CRLF gives the same octets back.</summary>
    public readonly bool SurvivesLf => BareLf == 0 && CrCrlf == 0;

    /// <summary>How many octets the message would have if each LF had a CR before it.</summary>
    public readonly long OctetsWithCrlf => Octets + BareLf;

    public void Scan(ReadOnlySpan<byte> octets)
    {
        if (octets.IsEmpty)
            return;
        Octets += octets.Length;
        var at = Count(octets, 0, Math.Min(2, octets.Length));
        at = CountVectors(octets, at);
        Count(octets, at, octets.Length);
        (lastButOne, last) = (Before(octets, octets.Length, 2), octets[^1]);
    }

    private int Count(ReadOnlySpan<byte> octets, int at, int end)
    {
        for (; at < end; at++)
        {
            if (octets[at] != LF)
                continue;
            if (Before(octets, at, 1) != CR)
            {
                BareLf++;
            }
            else
            {
                Crlf++;
                if (Before(octets, at, 2) == CR)
                    CrCrlf++;
            }
        }

        return at;
    }

    /// <summary>
    /// Counts many octets at a time, without a branch for each line. It needs the two octets before the position, so it begins after the first two.
    /// Returns the position that it reached.
    /// </summary>
    private int CountVectors(ReadOnlySpan<byte> octets, int at)
    {
        // Each of the vector's counters is one octet, so it overflows after 255 rounds.
        const int MostRounds = byte.MaxValue;
        var (lfs, crs) = (Vector128.Create(LF), Vector128.Create(CR));
        ref var start = ref MemoryMarshal.GetReference(octets);
        while (octets.Length - at >= Vector128<byte>.Count)
        {
            var (lf, crlf, crCrlf) = (Vector128<byte>.Zero, Vector128<byte>.Zero, Vector128<byte>.Zero);
            var end = Math.Min(octets.Length - Vector128<byte>.Count + 1, at + (MostRounds * Vector128<byte>.Count));
            for (; at < end; at += Vector128<byte>.Count)
            {
                var isLf = Vector128.Equals(Vector128.LoadUnsafe(ref start, (nuint)at), lfs);
                var isCrlf = isLf & Vector128.Equals(Vector128.LoadUnsafe(ref start, (nuint)at - 1), crs);

                // A comparison yields -1 for true, so subtracting the result counts up.
                lf -= isLf;
                crlf -= isCrlf;
                crCrlf -= isCrlf & Vector128.Equals(Vector128.LoadUnsafe(ref start, (nuint)at - 2), crs);
            }

            BareLf += Sum(lf) - Sum(crlf);
            Crlf += Sum(crlf);
            CrCrlf += Sum(crCrlf);
        }

        return at;
    }

    private static int Sum(Vector128<byte> counters) => Vector128.Sum(Vector128.WidenLower(counters) + Vector128.WidenUpper(counters));

    private readonly byte Before(ReadOnlySpan<byte> octets, int at, int distance) =>
        at >= distance ? octets[at - distance] : distance - at == 1 ? last : lastButOne;
}
