using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Serving.Mailboxes;
using Imapsync.Serving.Mime;
using Imapsync.Serving.Texts;

namespace Imapsync.Serving.Finding;

/// <summary>Searches a backup, beginning with the messages received last. Of each message only as much is read as the query needs.</summary>
/// <param name="onProgress">Called with the number of messages examined and their total.</param>
/// <param name="onUnread">Called with each message that could not be read, and the reason.</param>
/// <param name="index">
/// The word index. It is brought up to date, and then says which messages can be skipped. Null to search without an index: slower, with
/// the same result.
/// </param>
public sealed class BackupFinder(
    IMessageStore store, Action<long, long> onProgress, Action<MessageAddress, string> onUnread, ServingLimits? limits = null, BackupIndex? index = null)
{
    private readonly ServingLimits limits = limits ?? ServingLimits.Default;

    /// <exception cref="MailException">A folder can't be read.</exception>
    public async IAsyncEnumerable<FoundMessage> FindAsync(FindQuery query, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var folders = new List<FolderToSearch>();
        try
        {
            var messages = new List<(int Folder, MessageInfo Info)>();
            foreach (var entry in (await store.ListFoldersAsync(cancellationToken)).Where(f => f.HoldsMessages).OrderBy(f => f.Path))
            {
                if (!query.Folders.IsEmpty && !query.Folders.Any(g => g.Matches(entry.Path)))
                    continue;
                var folder = await store.OpenAsync(entry.Path, cancellationToken);
                folders.Add(new FolderToSearch(folder, new MessageReader(folder, limits)));
                var listing = await folder.ListAsync(new ListRequest(WithDateAndSize: true), cancellationToken).ToListAsync(cancellationToken);
                var unfit = index is not null && query.LooksInside ? await index.FindUnfitAsync(folder, listing, query, onProgress, cancellationToken) : null;
                messages.AddRange(listing.Where(m => query.Accepts(m) && unfit?.Contains(m.Uid) != true).Select(m => (folders.Count - 1, m)));
            }

            messages.Sort((a, b) => b.Info.InternalDate.CompareTo(a.Info.InternalDate) is not 0 and var later ? later : b.Info.Uid.CompareTo(a.Info.Uid));
            for (var i = 0; i < messages.Count; i++)
            {
                onProgress(i, messages.Count);
                if (await TryMatchAsync(folders[messages[i].Folder], messages[i].Info, query, cancellationToken) is { } found)
                    yield return found;
            }

            onProgress(messages.Count, messages.Count);
        }
        finally
        {
            foreach (var (folder, reader) in folders)
            {
                await reader.DisposeAsync();
                await folder.DisposeAsync();
            }
        }
    }

    private async ValueTask<FoundMessage?> TryMatchAsync(FolderToSearch at, MessageInfo info, FindQuery query, CancellationToken cancellationToken)
    {
        var id = AddressOf(at.Folder, info.Uid);
        try
        {
            // Read only the header unless the whole message is needed anyway.
            var message = new OpenedMail(at.Reader, info, limits);
            var headers = await ReadHeadersAsync(at, info, message, query.NeedsBody, cancellationToken);
            if (headers is null)
            {
                onUnread(id, "it can't be read, or is gone");
                return null;
            }

            if (!Fits(query.From, headers, "From", "Sender") || !Fits(query.To, headers, "To", "Cc", "Bcc") || !Fits(query.Subject, headers, "Subject"))
                return null;
            var left = query.Words.Where(w => !headers.Has(w, "Subject", "From", "To", "Cc", "Bcc", "Sender")).ToList();
            IReadOnlyList<string>? attachments = null;
            if (query.NeedsBody)
            {
                var root = await message.ScanAsync(cancellationToken);
                attachments = [.. Attachment.Of(root).Select(a => a.Title)];
                left.RemoveAll(w => attachments.Any(a => TextMatch.Has(a, w)));
                if ((query.HasAttachment && attachments.Count == 0) || !await message.HasTextsAsync(root, query.Body is null ? left : [.. left, query.Body], cancellationToken))
                    return null;
            }

            return headers.Describe(id, info, attachments);
        }
        catch (MailException e)
        {
            onUnread(id, e.Message);
            return null;
        }
    }

    private static async ValueTask<MessageHeaders?> ReadHeadersAsync(FolderToSearch at, MessageInfo info, OpenedMail message, bool whole, CancellationToken cancellationToken)
    {
        if (!whole)
        {
            await foreach (var header in at.Folder.ReadHeadersAsync(new UidSet([info.Uid]), cancellationToken))
                return new MessageHeaders(header.Octets.ToArray());
        }

        return await message.OpenAsync(cancellationToken) ? await message.ReadHeadersAsync(cancellationToken) : null;
    }

    internal static MessageAddress AddressOf(IMessageFolder folder, Uid uid) =>
        new(folder.Path, folder.LastingUidValidity.IsNone ? folder.Status.UidValidity : folder.LastingUidValidity, uid);

    private static bool Fits(string? wanted, MessageHeaders headers, params ReadOnlySpan<string> names) => wanted is null || headers.Has(wanted, names);

    private readonly record struct FolderToSearch(IMessageFolder Folder, MessageReader Reader);
}
