using Imapsync.Engine.Files;

namespace Imapsync.Engine.Mail;

/// <summary>What a message's octets are known by later: CRC-32C and how many they are. Finds decay and mishaps, not forgery.</summary>
/// <param name="Length">In octets, at most <see cref="MaxLength"/>.</param>
public readonly record struct MessageChecksum(uint Crc, uint Length)
{
    /// <summary>Longer messages have no checksum.</summary>
    public const uint MaxLength = uint.MaxValue - 1;

    public static MessageChecksum? Of(uint crc, long length) => length <= MaxLength ? new MessageChecksum(crc, (uint)length) : null;

    public static MessageChecksum? Of(ReadOnlySpan<byte> octets) => Of(Crc32C.Append(0, octets), octets.Length);

    public override string ToString() => $"{Length} octets, CRC-32C {Crc:x8}";
}
