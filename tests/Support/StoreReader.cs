using System.Security.Cryptography;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;

namespace Imapsync.Tests.Support;

/// <summary>Reads a mailbox with the product's own stores, for formats in which only the product stores flags and dates.</summary>
public static class StoreReader
{
    public static Task<MailboxSnapshot> ReadMboxAsync(string directory) => ReadAsync(new MboxEndpoint(directory));

    public static async Task<MailboxSnapshot> ReadAsync(Endpoint endpoint)
    {
        var mailbox = new MailboxSnapshot();
        await using var store = await StoreRegistry.OpenAsync(
            endpoint, new StoreContext(TimeProvider.System, _ => { }), CancellationToken.None);
        foreach (var entry in await store.ListFoldersAsync(CancellationToken.None))
        {
            if (!entry.HoldsMessages)
                continue;
            await using var folder = await store.OpenAsync(entry.Path, CancellationToken.None);
            mailbox.Add(string.Join('/', entry.Path.Levels), entry.Subscribed, await MessagesAsync(folder));
        }

        return mailbox;
    }

    private static async Task<List<SnapshotMessage>> MessagesAsync(IMessageFolder folder)
    {
        var listed = new List<MessageInfo>();
        await foreach (var info in folder.ListAsync(new ListRequest(WithDateAndSize: true), CancellationToken.None))
            listed.Add(info);
        var messages = new List<SnapshotMessage>();
        await foreach (var message in folder.ReadAsync(listed, CancellationToken.None))
        {
            if (message.Failure is not null)
                throw message.Failure;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var length = 0L;
            while (true)
            {
                var result = await message.Body.ReadAsync();
                foreach (var segment in result.Buffer)
                    hash.AppendData(segment.Span);
                length += result.Buffer.Length;
                message.Body.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                    break;
            }

            messages.Add(new SnapshotMessage(
                Convert.ToHexStringLower(hash.GetHashAndReset()), length, SnapshotMessage.Canonical(message.Info.Flags.Names), message.Info.InternalDate));
        }

        return messages;
    }
}
