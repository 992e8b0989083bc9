using Imapsync.Engine.Files;

namespace Imapsync.Engine.Mail;

/// <summary>
/// The CRC-32C and length of a message's octets, by which they are recognised later. They detect accidental damage, not forgery.
/// </summary>
/// <param name="Length">The length in octets, at most <see cref="MaxLength"/>.</param>
public readonly record struct MessageChecksum(uint Crc, uint Length)
{
    /// <summary>Longer messages have no checksum.</summary>
    public const uint MaxLength = uint.MaxValue - 1;

    public static MessageChecksum? Of(uint crc, long length) => length <= MaxLength ? new MessageChecksum(crc, (uint)length) : null;

    public static MessageChecksum? Of(ReadOnlySpan<byte> octets) => Of(Crc32C.Append(0, octets), octets.Length);

    public override string ToString() => $"{Length} octets, CRC-32C {Crc:x8}";
}
