using System.IO.Pipelines;

namespace Imapsync.Engine.Stores.Imap;

internal enum SizeVerdict
{
    /// <summary>
    /// The body is whole; the server counted the octets of the listed size in another way, for example one octet for each line end.
    /// </summary>
    Whole,

    /// <summary>The message is to be requested once more, by itself.</summary>
    AskAgain,

    /// <summary>The body is shorter than the listed size.</summary>
    Short,
}

/// <summary>
/// Decides whether a body whose length differs from the listed size is truncated, or whether the server only counted the size in another way.
/// A difference of a few octets, or of one octet for each line end, counts as another way of counting. With any other difference both body and
/// size are requested once more. A body that is still too short counts as failed, unless the account's sizes are evidently estimates: most of
/// them wrong, some too low and some too high.
/// </summary>
internal sealed class BodySizes
{
    public const int MaxCounted = 1 << 20;
    private const long FewOctets = 8;
    private const int MinWrong = 3;

    private long agreed;
    private long shorter;
    private long longer;

    private bool AreMostlyWrong => Interlocked.Read(ref shorter) + Interlocked.Read(ref longer) is var wrong && wrong >= MinWrong && wrong > Interlocked.Read(ref agreed);

    private bool AreEstimates => AreMostlyWrong && Interlocked.Read(ref longer) > 0;

    public void Agreed() => Interlocked.Increment(ref agreed);

    /// <param name="listed">The size from RFC822.SIZE; 0 comes from servers that do not know the size.</param>
    /// <param name="length">The announced length of the body's literal, in octets.</param>
    /// <param name="body">The body, with <paramref name="length"/> octets. It is examined without being consumed.</param>
    /// <param name="isSecond">Whether the message was requested before and arrived with a wrong length.</param>
    public async ValueTask<SizeVerdict> JudgeAsync(long listed, long length, PipeReader body, bool isSecond, CancellationToken cancellationToken)
    {
        var off = Math.Abs(listed - length);
        if (listed <= 0 || off <= FewOctets)
            return SizeVerdict.Whole;
        if (off <= length && length <= MaxCounted && await IsByLineEndsAsync(body, off, cancellationToken))
            return SizeVerdict.Whole;
        var isLong = length > listed;
        if (!isSecond)
            Interlocked.Increment(ref isLong ? ref longer : ref shorter);
        if (isLong ? isSecond || AreMostlyWrong : AreEstimates)
            return SizeVerdict.Whole;
        return isSecond ? SizeVerdict.Short : SizeVerdict.AskAgain;
    }

    /// <summary>Returns whether the difference is one octet for each line end, or one for each line end without CR.</summary>
    private static async ValueTask<bool> IsByLineEndsAsync(PipeReader body, long off, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            if (!read.IsCompleted)
            {
                body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            var (all, bare) = (0L, 0L);
            byte before = 0;
            foreach (var piece in read.Buffer)
            {
                foreach (var octet in piece.Span)
                {
                    all += octet == '\n' ? 1 : 0;
                    bare += octet == '\n' && before != '\r' ? 1 : 0;
                    before = octet;
                }
            }

            body.AdvanceTo(read.Buffer.Start);
            return Math.Abs(off - all) <= 2 || (bare > 0 && Math.Abs(off - bare) <= 2);
        }
    }
}
