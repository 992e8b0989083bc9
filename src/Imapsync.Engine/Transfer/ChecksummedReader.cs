using System.Buffers;
using System.IO.Pipelines;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Transfer;

/// <summary>A body on its way, whose octets are summed up as they are consumed. Nothing is copied.</summary>
internal sealed class ChecksummedReader(PipeReader body) : PipeReader
{
    private ReadOnlySequence<byte> shown;
    private uint crc;
    private long length;

    /// <summary>Of what was consumed so far.</summary>
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
        // The memory is the reader's again once it is told to advance.
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
