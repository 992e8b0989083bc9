using System.Buffers.Binary;
using System.Numerics;

namespace Imapsync.Engine.Files;

/// <summary>CRC-32C (Castagnoli, RFC 3720 §12.1), which protects the lines of state files and the octets of messages.</summary>
public static class Crc32C
{
    /// <summary>
    /// Continues a CRC: returns the CRC of earlier octets and these octets together. <paramref name="crc"/> is the CRC of the earlier
    /// octets; 0 for none.
    /// </summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> octets)
    {
        crc = ~crc;
        while (octets.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(octets));
            octets = octets[sizeof(ulong)..];
        }

        foreach (var octet in octets)
            crc = BitOperations.Crc32C(crc, octet);
        return ~crc;
    }
}
