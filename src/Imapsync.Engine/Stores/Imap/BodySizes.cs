using System.IO.Pipelines;

namespace Imapsync.Engine.Stores.Imap;

internal enum SizeVerdict
{
    /// <summary>The body is whole; the size listed was another way of counting.</summary>
    Whole,

    /// <summary>To be asked for once more, by itself.</summary>
    AskAgain,

    /// <summary>The server does not give what it lists.</summary>
    Short,
}

/// <summary>
/// Tells a body that was cut off from a size that was counted in another way. A few octets are a matter of counting, and so is
/// one octet for each line end. Whatever else differs is asked for once more, the size as well; a body that stays short has
/// failed, unless the account's sizes are seen to be estimates: most of them wrong, and too low as well as too high.
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

    /// <param name="listed">RFC822.SIZE; 0 is what servers say that do not know.</param>
    /// <param name="body">As long as the literal; looked at without consuming.</param>
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

    /// <summary>The difference is one octet a line end, or one a line end without CR.</summary>
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
