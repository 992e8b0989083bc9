using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Imapsync.Engine.Stores.LineEnds;

/// <summary>Counts the line ends of a message given in pieces, to know whether it survives being stored with LF alone.</summary>
public struct LineEndScanner
{
    private const byte CR = (byte)'\r';
    private const byte LF = (byte)'\n';

    // The last two octets seen, so that a line end may lie across pieces.
    private byte last;
    private byte lastButOne;

    /// <summary>LF with a CR before it.</summary>
    public long Crlf { get; private set; }

    /// <summary>LF without a CR before it: it would come back as CRLF.</summary>
    public long BareLf { get; private set; }

    /// <summary>Those CRLF with one more CR before them: taking one CR away leaves what looks like CRLF.</summary>
    public long CrCrlf { get; private set; }

    public long Octets { get; private set; }

    /// <summary>CRLF → LF → CRLF gives the same octets back.</summary>
    public readonly bool SurvivesLf => BareLf == 0 && CrCrlf == 0;

    /// <summary>Octets once each LF has a CR before it.</summary>
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
    /// Counts many octets at a time, without a branch for each line. Begins behind the first two octets, since it looks back at two, and
    /// returns how far it came.
    /// </summary>
    private int CountVectors(ReadOnlySpan<byte> octets, int at)
    {
        // A counter is an octet.
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

                // True is -1.
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
