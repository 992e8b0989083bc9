using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Transfer;

/// <summary>A message body whose octets are added to a checksum as they are consumed. Nothing is copied.</summary>
internal sealed class ChecksummedReader(PipeReader body) : PipeReader
{
    private ReadOnlySequence<byte> shown;
    private uint crc;
    private long length;

    /// <summary>The checksum of the octets consumed so far.</summary>
    public MessageChecksum? Checksum => MessageChecksum.Of(crc, length);

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = await body.ReadAsync(cancellationToken);
        shown = read.Buffer;
        return read;
    }

    public override bool TryRead(out ReadResult result)
    {
        var has = body.TryRead(out result);
        shown = has ? result.Buffer : default;
        return has;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        // The checksum is computed first, since after the call to advance the memory belongs to the inner reader again.
        foreach (var segment in shown.Slice(shown.Start, consumed))
        {
            crc = Crc32C.Append(crc, segment.Span);
            length += segment.Length;
        }

        shown = default;
        body.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => body.CancelPendingRead();

    public override void Complete(Exception? exception = null) => body.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => body.CompleteAsync(exception);
}
