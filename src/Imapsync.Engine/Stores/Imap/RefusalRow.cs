namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Refusals one after the other, with nothing accepted between them, in one and the same text: that is about the mailbox, whatever
/// its words. From then on fewer and fewer messages are sent, down to one in about <see cref="MaxGap"/>, which costs a mailbox that
/// takes nothing next to nothing; the first that is accepted ends it, and what was passed over is sent after all. Which ones are
/// sent is drawn, so that a good message among bad ones is not passed over in every run.
/// </summary>
internal sealed class RefusalRow(Random random)
{
    /// <summary>Fewer may be bad luck with the messages.</summary>
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

    /// <summary>Why a message is passed over.</summary>
    public string Words => $"not sent, since {count} messages in a row were refused with the same words: {text}";

    /// <summary>Asked once for each message.</summary>
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
