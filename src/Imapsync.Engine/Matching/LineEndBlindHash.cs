using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Imapsync.Engine.Matching;

/// <summary>
/// A digest that is the same before and after the changes that some servers make to a message's octets: they replace line ends, drop a lone CR, add a
/// line end to the last line, or store NUL as 0x80.
/// </summary>
internal sealed class LineEndBlindHash : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] buffer = new byte[4096];
    private int filled;
    private long lineEnds;

    public void Append(ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            var at = octets.IndexOfAny((byte)'\r', (byte)'\n', (byte)0);
            var plain = octets[..(at < 0 ? octets.Length : at)];
            Put(plain);
            if (at < 0)
                break;
            if (octets[at] == '\n')
                lineEnds++;
            else if (octets[at] == 0)
                Put([0x80]);
            octets = octets[(at + 1)..];
        }
    }

    public UInt128 Finish()
    {
        hash.AppendData(buffer.AsSpan(0, filled));
        (filled, lineEnds) = (0, 0);
        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return BinaryPrimitives.ReadUInt128BigEndian(digest);
    }

    public void Dispose() => hash.Dispose();

    private void Put(ReadOnlySpan<byte> octets)
    {
        if (octets.IsEmpty)
            return;
        // Line ends are hashed only once another octet follows them, so the line ends at the end of the message don't count.
        for (; lineEnds > 0; lineEnds--)
            Fill([(byte)'\n']);
        Fill(octets);
    }

    private void Fill(ReadOnlySpan<byte> octets)
    {
        while (!octets.IsEmpty)
        {
            if (filled == buffer.Length)
            {
                hash.AppendData(buffer);
                filled = 0;
            }

            var part = octets[..Math.Min(octets.Length, buffer.Length - filled)];
            part.CopyTo(buffer.AsSpan(filled));
            filled += part.Length;
            octets = octets[part.Length..];
        }
    }
}
