namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Counts consecutive refusals with one and the same text. After <see cref="Long"/> of them the refusal is assumed to be about the mailbox and not
/// about the messages. From then on ever fewer messages are sent, down to one in about <see cref="MaxGap"/>, so that a mailbox that accepts nothing
/// costs little. The first accepted message ends the series, and the messages that were left out are sent after all. The messages to send are drawn
/// at random, so that a good message among bad ones is not left out in every run.
/// </summary>
internal sealed class RefusalRow(Random random)
{
    /// <summary>How many equal refusals make a series. Fewer may be coincidence.</summary>
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

    /// <summary>The reason that is recorded for a message that is not sent.</summary>
    public string Words => $"not sent, since {count} messages in a row were refused with the same words: {text}";

    /// <summary>Returns whether the next message is not to be sent. It is called once for each message.</summary>
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
