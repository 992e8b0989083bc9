using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Matching;

/// <summary>The digest, length and CRC of one message's octets, whatever its size.</summary>
/// <param name="Digest">The first half of the SHA-256; zero where only the checksum was requested.</param>
/// <param name="Failure">Why the store could not deliver the message.</param>
internal readonly record struct MessageContents(UInt128 Digest, long Length, uint Crc, MailException? Failure = null)
{
    public MessageChecksum? Checksum => MessageChecksum.Of(Crc, Length);

    /// <summary>Returns whether the message was read and its octets differ from the recorded ones.</summary>
    public bool IsNot(MessageChecksum? recorded) => Failure is null && Checksum != recorded;

    /// <summary>The names of header fields that were found and left out of the digest.</summary>
    public string Omitted { get; init; } = "";

    /// <param name="omit">Header fields to ignore; null for none.</param>
    public static async Task<Dictionary<Uid, MessageContents>> ReadAsync(
        IMessageFolder folder, IReadOnlyList<MessageInfo> messages, bool withDigest, CancellationToken cancellationToken, IReadOnlyList<string>? omit = null)
    {
        var contents = new Dictionary<Uid, MessageContents>(messages.Count);
        using var hash = withDigest ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        await foreach (var message in folder.ReadAsync(messages, cancellationToken))
        {
            contents[message.Uid] = message.Failure is { } failure
                ? new MessageContents(0, 0, 0, failure)
                : await SumAsync(message.Body, hash, omit is null ? null : new FieldOmission(omit), cancellationToken);
        }

        return contents;
    }

    /// <summary>
    /// Returns the messages whose octets do not match the recorded checksum, neither with nor without the header fields that mail programs add,
    /// and those that can't be read.
    /// </summary>
    /// <param name="read">The messages' contents as read with all fields.</param>
    /// <param name="noted">The names of the fields to ignore.</param>
    public static async Task<HashSet<Uid>> FindOthersAsync(
        IMessageFolder folder, IReadOnlyList<(MessageInfo Message, MessageChecksum Recorded)> messages, Dictionary<Uid, MessageContents> read,
        IReadOnlyList<string> noted, CancellationToken cancellationToken)
    {
        var others = messages.Where(m => !read.TryGetValue(m.Message.Uid, out var found) || found.Failure is not null || found.Checksum != m.Recorded).ToList();
        var bare = others.Count == 0 || noted.Count == 0 ? [] : await ReadAsync(folder, [.. others.Select(m => m.Message)], withDigest: false, cancellationToken, noted);
        return [.. others.Where(m => !bare.TryGetValue(m.Message.Uid, out var found) || found.Failure is not null || found.Checksum != m.Recorded).Select(m => m.Message.Uid)];
    }

    /// <summary>Reads one message completely; null where it is longer than the limit or can't be read.</summary>
    public static async Task<byte[]?> ReadWholeAsync(IMessageFolder folder, MessageInfo message, int maxBytes, CancellationToken cancellationToken)
    {
        await foreach (var read in folder.ReadAsync([message], cancellationToken))
        {
            if (read.Failure is not null || read.Length > maxBytes || read.Uid != message.Uid)
                continue;
            using var octets = new MemoryStream((int)read.Length);
            await read.Body.CopyToAsync(octets, cancellationToken);
            return octets.ToArray();
        }

        return null;
    }

    private static async Task<MessageContents> SumAsync(PipeReader body, IncrementalHash? hash, FieldOmission? omission, CancellationToken cancellationToken)
    {
        var (length, crc) = (0L, 0u);
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            foreach (var segment in read.Buffer)
            {
                for (var octets = segment.Span; !octets.IsEmpty;)
                {
                    if (omission is not null)
                    {
                        Add(omission.Take(ref octets));
                        continue;
                    }

                    Add(octets);
                    octets = default;
                }
            }

            body.AdvanceTo(read.Buffer.End);
            if (!read.IsCompleted)
                continue;
            if (omission is not null)
                Add(omission.Finish());
            return new MessageContents(hash is null ? 0 : BinaryPrimitives.ReadUInt128BigEndian(hash.GetHashAndReset()), length, crc)
            {
                Omitted = omission is null ? "" : string.Join(", ", omission.Omitted),
            };
        }

        void Add(ReadOnlySpan<byte> octets)
        {
            crc = Crc32C.Append(crc, octets);
            hash?.AppendData(octets);
            length += octets.Length;
        }
    }
}
