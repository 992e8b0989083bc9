using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Security.Cryptography;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying.Verification;

/// <summary>What one message's octets come to, whatever its size.</summary>
/// <param name="Digest">The first half of the SHA-256; zero where only the checksum was asked for.</param>
/// <param name="Failure">Why the store could not give it.</param>
internal readonly record struct MessageContents(UInt128 Digest, long Length, uint Crc, MailException? Failure = null)
{
    public MessageChecksum? Checksum => MessageChecksum.Of(Crc, Length);

    public static async Task<Dictionary<Uid, MessageContents>> ReadAsync(
        IMailFolder folder, IReadOnlyList<MessageInfo> messages, bool withDigest, CancellationToken cancellationToken)
    {
        var contents = new Dictionary<Uid, MessageContents>(messages.Count);
        using var hash = withDigest ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        await foreach (var message in folder.ReadAsync(messages, cancellationToken))
        {
            contents[message.Uid] = message.Failure is { } failure
                ? new MessageContents(0, 0, 0, failure)
                : await SumAsync(message.Body, hash, cancellationToken);
        }

        return contents;
    }

    /// <summary>The octets of one message to look at; null where it is longer than that or not to be had.</summary>
    public static async Task<byte[]?> ReadWholeAsync(IMailFolder folder, MessageInfo message, int maxBytes, CancellationToken cancellationToken)
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

    private static async Task<MessageContents> SumAsync(PipeReader body, IncrementalHash? hash, CancellationToken cancellationToken)
    {
        var (length, crc) = (0L, 0u);
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            foreach (var segment in read.Buffer)
            {
                crc = Crc32C.Append(crc, segment.Span);
                hash?.AppendData(segment.Span);
                length += segment.Length;
            }

            body.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return new MessageContents(hash is null ? 0 : BinaryPrimitives.ReadUInt128BigEndian(hash.GetHashAndReset()), length, crc);
        }
    }
}
