using System.Buffers.Binary;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mh;

/// <summary>
/// The files <c>.claws_mark</c> and <c>.sylpheed_mark</c>: 32-bit numbers in the byte order of the machine that wrote them. The first
/// number is a version. Then follow pairs of message number and flags.
/// </summary>
internal static class ClawsMarks
{
    public const string ClawsFile = ".claws_mark";
    public const string SylpheedFile = ".sylpheed_mark";
    private const int MaxBytes = 64 << 20;
    private const int PairBytes = 8;
    private const uint MaxVersion = 100;

    private const uint New = 1, Unread = 1 << 1, Marked = 1 << 2, Deleted = 1 << 3, Replied = 1 << 4, Forwarded = 1 << 5;

    /// <summary>Returns the flags by message number; null where the file is not in this format.</summary>
    public static Func<uint, FlagSet>? Read(Stream file)
    {
        if (file.Length is < 4 or > MaxBytes)
            return null;
        var octets = new byte[file.Length];
        file.ReadExactly(octets);
        var isLittle = BinaryPrimitives.ReadUInt32LittleEndian(octets) is > 0 and < MaxVersion;
        if (!isLittle && BinaryPrimitives.ReadUInt32BigEndian(octets) is not (> 0 and < MaxVersion))
            return null;
        var flags = new Dictionary<uint, uint>();
        for (var at = 4; at + PairBytes <= octets.Length; at += PairBytes)
            flags[Number(at)] = Number(at + 4);
        // A message that the file does not list arrived after the file was written. It is unread, so it has no flags.
        return number => flags.TryGetValue(number, out var bits) ? FlagsOf(bits) : FlagSet.Empty;

        uint Number(int at) => isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(octets.AsSpan(at)) : BinaryPrimitives.ReadUInt32BigEndian(octets.AsSpan(at));
    }

    private static FlagSet FlagsOf(uint bits)
    {
        var flags = (bits & (New | Unread)) == 0 ? MessageFlags.Seen : MessageFlags.None;
        flags |= (bits & Marked) != 0 ? MessageFlags.Flagged : MessageFlags.None;
        flags |= (bits & Deleted) != 0 ? MessageFlags.Deleted : MessageFlags.None;
        flags |= (bits & Replied) != 0 ? MessageFlags.Answered : MessageFlags.None;
        return FlagSet.Create(flags, (bits & Forwarded) != 0 ? ["$Forwarded"] : []);
    }
}
