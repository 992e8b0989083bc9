using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Verifying;

/// <summary>A folder's messages with date and size, searchable by UID.</summary>
/// <param name="missing">How many messages the folder counts but does not list.</param>
internal sealed class FolderMessages(MessageList messages, long missing)
{
    public static FolderMessages None { get; } = new(new MessageList(), 0);

    public IReadOnlyList<MessageInfo> All => messages;

    public long Missing => missing;

    public static async Task<FolderMessages> ReadAsync(IMessageFolder folder, CancellationToken cancellationToken)
    {
        var messages = new MessageList();
        // An arrival during the listing does not make up for an omission: the sequence numbers count both.
        var counted = folder.Status.Messages;
        await foreach (var message in folder.ListAsync(new ListRequest(WithDateAndSize: true), cancellationToken))
        {
            messages.Add(message);
            counted = Math.Max(counted, message.SequenceNumber);
        }

        messages.SortByUid();
        return new FolderMessages(messages, Math.Max(0, counted - messages.Count));
    }

    public bool TryGet(Uid uid, out MessageInfo message)
    {
        int low = 0, high = messages.Count - 1;
        while (low <= high)
        {
            var middle = (low + high) / 2;
            message = messages[middle];
            if (message.Uid == uid)
                return true;
            (low, high) = message.Uid < uid ? (middle + 1, high) : (low, middle - 1);
        }

        message = default;
        return false;
    }
}
