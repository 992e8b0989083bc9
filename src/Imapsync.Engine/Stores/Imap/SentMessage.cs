using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>A message that was taken from the window, the batch of messages to append.</summary>
/// <param name="outgoing">The message in the form in which it is sent.</param>
internal sealed class SentMessage(MessageInfo source, OutgoingMessage outgoing)
{
    public MessageInfo Source => source;

    public OutgoingMessage Outgoing => outgoing;

    /// <summary>Flags that are not sent with the message but set once it is in the folder.</summary>
    public FlagSet SetAfterwards { get; init; } = FlagSet.Empty;

    public string? Note { get; set; }

    public Uid Target { get; set; }

    public MailException? Failure { get; set; }

    /// <summary>Whether the server has answered, or the message was not sent at all.</summary>
    public bool IsSettled { get; set; }

    public FlagSet Wanted => outgoing.Flags.Union(SetAfterwards);

    public void AddNote(string note) => Note = Note is null ? note : $"{Note}; {note}";

    public void Fail(MailException failure)
    {
        Failure = failure;
        IsSettled = true;
    }

    public AppendReceipt ToReceipt() => new(source.Uid, Target, Failure, Note);
}
