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
        for (var at = 0; ;)
        {
            var next = octets[at..].IndexOf(LF);
            if (next < 0)
                break;
            at += next;
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

            at++;
        }

        (lastButOne, last) = (Before(octets, octets.Length, 2), octets[^1]);
    }

    private readonly byte Before(ReadOnlySpan<byte> octets, int at, int distance) =>
        at >= distance ? octets[at - distance] : distance - at == 1 ? last : lastButOne;
}
