using System.Security.Cryptography;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The octets of a large message as a stream. Reading fails before the last octet (1) if the length differs from the recorded one, or (2)
/// if the file was changed and the digest differs.
/// </summary>
internal sealed class MboxMessageStream(MboxMessage message, MboxRecord record, Func<MailException?> findRewritten) : Stream
{
    private readonly long octets = record.Octets;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int taken;
    private long given;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => octets;

    public override long Position { get => given; set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (taken == message.Decoded.Count)
        {
            message.Decoded.Clear();
            taken = 0;
            if (await message.DecodeAsync(cancellationToken))
                continue;
            return given == octets ? 0 : throw findRewritten() ?? message.Changed();
        }

        var count = Math.Min(buffer.Length, message.Decoded.Count - taken);
        if (given + count > octets)
            throw findRewritten() ?? message.Changed();
        var piece = message.Decoded.Written.Slice(taken, count);
        hash.AppendData(piece.Span);
        if (given + count == octets && MboxScanner.FinishDigest(hash) != record.Digest && findRewritten() is { } rewritten)
            throw rewritten;
        piece.CopyTo(buffer);
        taken += count;
        given += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            hash.Dispose();
        base.Dispose(disposing);
    }

    public override void Flush() => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
