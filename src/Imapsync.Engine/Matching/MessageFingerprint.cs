using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Matching;

/// <summary>Identifies a message without reading all of it. It takes some 90 octets, whatever the message's size.</summary>
/// <param name="Core">
/// A digest of the values of Message-ID, Date, From and Subject without white space, which servers may change.
/// If there is no Message-ID, a digest of the header without the fields that mail programs add to stored messages.
/// The Message-ID alone is not enough, since the versions of a draft have the same one.
/// </param>
/// <param name="Header">A digest of the header's octets, independent of its line ends.</param>
/// <param name="HeaderBytes">The header's length as it was read.</param>
/// <param name="HasCore">Whether the header has a Message-ID.</param>
internal readonly record struct MessageFingerprint(MessageInfo Info, UInt128 Core, UInt128 Header, int HeaderBytes, bool HasCore)
{
    private static readonly string[] CoreFields = ["Message-ID", "Date", "From", "Subject"];

    /// <summary>
    /// The fields that mbsync and OfflineIMAP add to mark messages, and those that mutt and Thunderbird write in an mbox.
    /// </summary>
    private static readonly string[] AddedFields =
    [
        "X-TUID", "X-OfflineIMAP", "Lines", "Content-Length", "Status", "X-Status", "X-Keywords", "X-UID", "X-Mozilla-Status", "X-Mozilla-Status2",
        "X-Mozilla-Keys", "X-Account-Key", "X-UIDL",
    ];

    public Uid Uid => Info.Uid;

    public static MessageFingerprint Of(in MessageInfo info, ReadOnlySpan<byte> header)
    {
        var core = DigestOfCore(header);
        return new(info, core ?? DigestWithoutAdded(header), Digest(header), header.Length, HasCore: core is not null);
    }

    /// <summary>The length of the message after its header; null where the size is not known.</summary>
    public long? BodyBytes => Info.Size < 0 ? null : Info.Size - HeaderBytes;

    /// <summary>The part that a checkpoint stores; null where the size is not known.</summary>
    public Sighting? Sighting => Info.Size is < 0 or > MessageChecksum.MaxLength ? null : new Sighting((uint)Info.Size, (uint)Header);

    public static UInt128 Digest(ReadOnlySpan<byte> octets)
    {
        using var hash = new LineEndBlindHash();
        hash.Append(octets);
        return hash.Finish();
    }

    private static UInt128? DigestOfCore(ReadOnlySpan<byte> header)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var hasMessageId = false;
        for (var field = 0; field < CoreFields.Length; field++)
        {
            var value = Find(header, CoreFields[field]);
            hasMessageId |= field == 0 && value.ContainsAnyInRange((byte)'!', (byte)'~');
            AppendWithoutWhiteSpace(hash, value);
            hash.AppendData([0]);
        }

        Span<byte> digest = stackalloc byte[SHA256.HashSizeInBytes];
        hash.GetHashAndReset(digest);
        return hasMessageId ? BinaryPrimitives.ReadUInt128BigEndian(digest) : null;
    }

    private static UInt128 DigestWithoutAdded(ReadOnlySpan<byte> header)
    {
        using var hash = new LineEndBlindHash();
        while (!header.IsEmpty)
        {
            var next = NextField(header);
            if (!IsAdded(header))
                hash.Append(header[..next]);
            header = header[next..];
        }

        return hash.Finish();
    }

    private static bool IsAdded(ReadOnlySpan<byte> field)
    {
        foreach (var name in AddedFields)
        {
            if (field.Length > name.Length && field[name.Length] == ':' && Ascii.EqualsIgnoreCase(field[..name.Length], name))
                return true;
        }

        return false;
    }

    /// <summary>Returns the value of the first field of that name: the text between its colon and the next line that is no continuation.</summary>
    public static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> header, string name)
    {
        while (!header.IsEmpty)
        {
            var next = NextField(header);
            if (header.Length > name.Length && header[name.Length] == ':' && Ascii.EqualsIgnoreCase(header[..name.Length], name))
                return header[(name.Length + 1)..next];
            header = header[next..];
        }

        return default;
    }

    private static int NextField(ReadOnlySpan<byte> header)
    {
        for (var at = 0; ;)
        {
            var end = header[at..].IndexOf((byte)'\n');
            if (end < 0 || at + end + 1 >= header.Length)
                return header.Length;
            at += end + 1;
            if (header[at] is not ((byte)' ' or (byte)'\t'))
                return at;
        }
    }

    private static void AppendWithoutWhiteSpace(IncrementalHash hash, ReadOnlySpan<byte> value)
    {
        foreach (var part in value.SplitAny(" \t\r\n"u8))
            hash.AppendData(value[part]);
    }
}
