namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Refusals one after the other, with nothing accepted between them, in one and the same text: that is about the mailbox, whatever
/// its words. From then on one message in two is sent, in four, in eight and so on, which costs a mailbox that takes nothing next
/// to nothing; the first that is accepted ends it, and what was passed over is sent after all.
/// </summary>
internal sealed class RefusalRow
{
    /// <summary>Fewer may be bad luck with the messages.</summary>
    public const int Long = 10;

    private string? text;
    private long count;
    private long gap = 1;
    private long passed;

    /// <summary>Why a message is passed over.</summary>
    public string Words => $"not sent, since {count} messages in a row were refused with the same words: {text}";

    /// <summary>Asked once for each message.</summary>
    public bool PassesOver()
    {
        if (count < Long)
            return false;
        if (++passed <= gap)
            return true;
        passed = 0;
        gap *= 2;
        return false;
    }

    public void Refused(string said)
    {
        if (said != text)
            Accepted();
        text = said;
        count++;
    }

    public void Accepted() => (text, count, gap, passed) = (null, 0, 1, 0);
}
