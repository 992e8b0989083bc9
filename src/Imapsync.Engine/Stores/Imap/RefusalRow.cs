namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Counts consecutive refusals with one and the same text and no accepted message between them: such a row is about the mailbox, whatever the
/// text says. From then on ever fewer messages are sent, down to one in about <see cref="MaxGap"/>, so that a mailbox that accepts nothing costs
/// little. The first accepted message ends the row, and the messages passed over are sent after all. The messages to send are drawn at random, so
/// that a good message among bad ones is not passed over in every run.
/// </summary>
internal sealed class RefusalRow(Random random)
{
    /// <summary>How many refusals make a row. Fewer may be coincidence.</summary>
    public const int Long = 10;

    public const int MaxGap = 32;

    private string? text;
    private long count;
    private int gap = 1;
    private int toPass = random.Next(2);

    public RefusalRow()
        : this(Random.Shared)
    {
    }

    /// <summary>The reason that is recorded for a message that is passed over.</summary>
    public string Words => $"not sent, since {count} messages in a row were refused with the same words: {text}";

    /// <summary>Whether the next message is passed over; to be called once for each message.</summary>
    public bool PassesOver()
    {
        if (count < Long)
            return false;
        if (toPass-- > 0)
            return true;
        gap = Math.Min(gap * 2, MaxGap);
        toPass = random.Next(gap * 2);
        return false;
    }

    public void Refused(string said)
    {
        if (said != text)
            Accepted();
        text = said;
        count++;
    }

    public void Accepted() => (text, count, gap, toPass) = (null, 0, 1, random.Next(2));
}
