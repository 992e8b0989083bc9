using System.Buffers;
using System.IO.Pipelines;

namespace Imapsync.Engine.Stores.Local;

/// <summary>Reads a body whose length was announced, and checks that it has that length.</summary>
internal static class BodyReading
{
    /// <summary>Passes a body on piece by piece.</summary>
    /// <returns>False when the body is shorter or longer than <paramref name="length"/>. No octet beyond that length is passed on.</returns>
    public static async ValueTask<bool> ReadExactlyAsync(
        PipeReader body, long length, Func<ReadOnlyMemory<byte>, ValueTask> onPiece, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await body.ReadAsync(cancellationToken);
            if (result.IsCanceled)
                throw new OperationCanceledException("the body's reader was cancelled", cancellationToken);
            var tooLong = result.Buffer.Length > length;
            if (!tooLong)
            {
                foreach (var piece in result.Buffer)
                    await onPiece(piece);
                length -= result.Buffer.Length;
            }

            body.AdvanceTo(result.Buffer.End);
            if (tooLong || result.IsCompleted)
                return !tooLong && length == 0;
        }
    }

    /// <summary>Copies a small body into memory. Returns false when the body's length differs from that of <paramref name="target"/>.</summary>
    public static async ValueTask<bool> ReadExactlyAsync(PipeReader body, Memory<byte> target, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await body.ReadAsync(cancellationToken);
            if (result.IsCanceled)
                throw new OperationCanceledException("the body's reader was cancelled", cancellationToken);
            var tooLong = result.Buffer.Length > target.Length;
            if (!tooLong)
            {
                result.Buffer.CopyTo(target.Span);
                target = target[(int)result.Buffer.Length..];
            }

            body.AdvanceTo(result.Buffer.End);
            if (tooLong || result.IsCompleted)
                return !tooLong && target.IsEmpty;
        }
    }
}
