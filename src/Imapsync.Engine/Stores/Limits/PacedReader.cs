using System.Buffers;
using System.IO.Pipelines;

namespace Imapsync.Engine.Stores.Limits;

/// <summary>A body whose octets become available no faster than a token bucket permits. Nothing is copied and nothing is read ahead.</summary>
internal sealed class PacedReader(PipeReader body, TokenBucket bytes) : PipeReader
{
    private readonly long piece = Math.Clamp((long)(bytes.PerSecond / 10), 1, 64 << 10);
    private ReadOnlySequence<byte> shown;

    // Octets that the bucket has admitted and that the consumer has not consumed yet. A consumer may examine the same octets several times, but they
    // count against the rate only once.
    private long paid;

    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        var read = await body.ReadAsync(cancellationToken);
        var there = read.Buffer.Length;
        if (there > paid)
        {
            var more = Math.Min(there - paid, piece);
            try
            {
                await bytes.TakeAsync(more, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                body.AdvanceTo(read.Buffer.Start);
                throw;
            }

            paid += more;
        }

        shown = read.Buffer.Slice(0, Math.Min(there, paid));
        return new ReadResult(shown, read.IsCanceled, read.IsCompleted && shown.Length == there);
    }

    /// <summary>Always returns false, since octets may be available only after a wait.</summary>
    public override bool TryRead(out ReadResult result)
    {
        result = default;
        return false;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        paid -= shown.Slice(shown.Start, consumed).Length;
        shown = default;
        body.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead() => body.CancelPendingRead();

    public override void Complete(Exception? exception = null) => body.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => body.CompleteAsync(exception);
}
