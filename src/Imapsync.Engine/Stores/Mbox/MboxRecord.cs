using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>The metadata of one message, known without reading the file.</summary>
/// <param name="Offset">Where its postmark begins.</param>
/// <param name="Length">Octets on disk from there, without the empty line after the message.</param>
/// <param name="Octets">Octets of the message itself, as it was received.</param>
/// <param name="Digest">The first half of the SHA-256 of these octets: independent of flags, postmark and position.</param>
/// <param name="Key">See <see cref="MessageKey"/>; 0 where there is none.</param>
internal sealed record MboxRecord(
    Uid Uid, long Offset, long Length, long Octets, DateTimeOffset Date, MboxForm Form, UInt128 Digest, FlagSet Flags, ulong Key);

/// <summary>Length and time of an mbox, by which it is recognised as the file that its index describes.</summary>
internal readonly record struct MboxStamp(long Length, long ModifiedTicks)
{
    public static MboxStamp Of(Microsoft.Win32.SafeHandles.SafeFileHandle file) =>
        new(RandomAccess.GetLength(file), File.GetLastWriteTimeUtc(file).Ticks);
}

/// <summary>All messages of a file.</summary>
/// <param name="Records">In ascending order of UID.</param>
/// <param name="Validity">None where the UIDs are valid only while this object is in use.</param>
internal sealed record MboxState(UidValidity Validity, Uid UidNext, IReadOnlyList<MboxRecord> Records, MboxStamp Stamp)
{
    /// <summary>The index's UIDVALIDITY, under which messages that were found again keep their UIDs.</summary>
    public UidValidity LastingValidity { get; init; } = Validity;

    public Mail.FolderStatus Status => new(Validity, UidNext, Records.Count);

    /// <summary>The messages of a set that are there; of all for null. Costs what the set holds, not what the file does.</summary>
    public IEnumerable<MboxRecord> Chosen(UidSet? uids) => uids is null ? Records : uids.Ranges.SelectMany(range => Between(new Uid(range.First), new Uid(range.Last)));

    private IEnumerable<MboxRecord> Between(Uid first, Uid last)
    {
        var at = IndexOf(first);
        for (at = at < 0 ? ~at : at; at < Records.Count && Records[at].Uid <= last; at++)
            yield return Records[at];
    }

    /// <summary>Where in <see cref="Records"/> a message is; the complement of where it would stand when it is not there.</summary>
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
