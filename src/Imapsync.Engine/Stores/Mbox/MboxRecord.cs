using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>The metadata of one message, as the mbox's index stores it.</summary>
/// <param name="Offset">The offset of the message's postmark in the file.</param>
/// <param name="Length">The octets on disk, with the postmark and without the empty line after the message.</param>
/// <param name="Octets">The octets of the message itself, as it was received.</param>
/// <param name="Digest">The first half of the SHA-256 of the message's octets; independent of its flags, postmark and position.</param>
/// <param name="Key">See <see cref="MessageKey"/>; 0 for none.</param>
internal sealed record MboxRecord(
    Uid Uid, long Offset, long Length, long Octets, DateTimeOffset Date, MboxForm Form, UInt128 Digest, FlagSet Flags, ulong Key);

/// <summary>The length and the modification time of an mbox. If either differs, the file has changed since its index was written.</summary>
internal readonly record struct MboxStamp(long Length, long ModifiedTicks)
{
    public static MboxStamp Of(Microsoft.Win32.SafeHandles.SafeFileHandle file) =>
        new(RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file).Ticks);
}

/// <summary>All messages of an mbox.</summary>
/// <param name="Validity">None if the UIDs are valid only while this object is in use.</param>
/// <param name="Records">In ascending order of UID.</param>
internal sealed record MboxState(UidValidity Validity, Uid UidNext, IReadOnlyList<MboxRecord> Records, MboxStamp Stamp)
{
    /// <summary>
    /// The UIDVALIDITY of the index. Messages that were found again keep their UIDs under it, even if <see cref="Validity"/> is none.
    /// </summary>
    public UidValidity LastingValidity { get; init; } = Validity;

    public Mail.FolderStatus Status => new(Validity, UidNext, Records.Count);

    /// <summary>
    /// Returns the messages of a set that exist; all messages if <paramref name="uids"/> is null. The time depends on the set's size, not
    /// on the file's.
    /// </summary>
    public IEnumerable<MboxRecord> Chosen(UidSet? uids) => uids is null ? Records : uids.Ranges.SelectMany(range => Between(new Uid(range.First), new Uid(range.Last)));

    private IEnumerable<MboxRecord> Between(Uid first, Uid last)
    {
        var at = IndexOf(first);
        for (at = at < 0 ? ~at : at; at < Records.Count && Records[at].Uid <= last; at++)
            yield return Records[at];
    }

    /// <summary>
    /// Returns a message's position in <see cref="Records"/>. If the message does not exist, returns the bitwise complement of the position
    /// to insert it at.
    /// </summary>
    public int IndexOf(Uid uid)
    {
        int low = 0, high = Records.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var order = Records[middle].Uid.CompareTo(uid);
            if (order == 0)
                return middle;
            (low, high) = order < 0 ? (middle + 1, high) : (low, middle - 1);
        }

        return ~low;
    }
}
