using System.Security.Cryptography;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Security;

namespace Imapsync.Tests.Support;

/// <summary>
/// Reads a server's mail with MailKit's IMAP client, as a second independent check. It would notice an error common to the product's client
/// and <see cref="ImapProbe"/>.
/// </summary>
public static class MailKitReader
{
    public static async Task<MailboxSnapshot> ReadAsync(int port, string user, string password)
    {
        using var client = new ImapClient();
        await client.ConnectAsync("127.0.0.1", port, SecureSocketOptions.None);
        await client.AuthenticateAsync(user, password);
        var snapshot = new MailboxSnapshot();
        foreach (var folder in await client.GetFoldersAsync(client.PersonalNamespaces[0], StatusItems.None, subscribedOnly: false))
        {
            if ((folder.Attributes & (FolderAttributes.NonExistent | FolderAttributes.NoSelect)) == FolderAttributes.None)
                snapshot.Add(folder.FullName, folder.IsSubscribed, await MessagesAsync(folder));
        }

        await client.DisconnectAsync(quit: true);
        return snapshot;
    }

    private static async Task<List<SnapshotMessage>> MessagesAsync(IMailFolder folder)
    {
        var messages = new List<SnapshotMessage>();
        await folder.OpenAsync(FolderAccess.ReadOnly);
        foreach (var summary in await folder.FetchAsync(0, -1, MessageSummaryItems.UniqueId | MessageSummaryItems.Flags | MessageSummaryItems.InternalDate))
        {
            using var octets = await folder.GetStreamAsync(summary.UniqueId, "");
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            var (block, length) = (new byte[64 * 1024], 0L);
            int count;
            while ((count = await octets.ReadAsync(block)) > 0)
            {
                hash.AppendData(block, 0, count);
                length += count;
            }

            messages.Add(new SnapshotMessage(
                Convert.ToHexStringLower(hash.GetHashAndReset()),
                length,
                SnapshotMessage.Canonical(Names(summary.Flags ?? MessageFlags.None).Concat(summary.Keywords)),
                summary.InternalDate!.Value));
        }

        await folder.CloseAsync();
        return messages;
    }

    private static IEnumerable<string> Names(MessageFlags flags) =>
        new[] { MessageFlags.Seen, MessageFlags.Answered, MessageFlags.Flagged, MessageFlags.Deleted, MessageFlags.Draft }
            .Where(f => (flags & f) != MessageFlags.None).Select(f => "\\" + f);
}
