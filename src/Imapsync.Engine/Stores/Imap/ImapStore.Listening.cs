using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

public sealed partial class ImapStore
{
    /// <summary>Listens by NOTIFY on one connection, or else by IDLE on one connection for each folder. Null where the server supports neither.</summary>
    /// <param name="dial">Makes network connections in place of TCP; null for TCP.</param>
    internal static async Task<IChangeFeed?> ListenAsync(
        ImapEndpoint endpoint, ListenRequest request, StoreContext context, Func<CancellationToken, ValueTask<Stream>>? dial, CancellationToken cancellationToken)
    {
        var store = (ImapStore)await OpenAsync(endpoint with { Connections = 1 }, context, dial, cancellationToken);
        var feed = new ImapChangeFeed(store, context.Time);
        try
        {
            var folders = request.Choose(await store.ListFoldersAsync(cancellationToken));
            var client = await store.pool.LeaseAsync(cancellationToken);
            if (await store.NotifyAsync(feed, client, folders.Ignored, cancellationToken)
                || await store.IdleAsync(feed, client, folders.Wanted, request.Connections, cancellationToken))
            {
                return feed;
            }
        }
        catch (Exception e)
        {
            await feed.DisposeAsync();
            if (ImapFailure.IsImap(e))
                throw ImapFailure.Translate(e, FailureScope.Store, $"cannot listen to {endpoint.Display}");
            throw;
        }

        await feed.DisposeAsync();
        return null;
    }

    private async Task<bool> NotifyAsync(ImapChangeFeed feed, ImapClient client, IEnumerable<FolderPath> ignored, CancellationToken cancellationToken)
    {
        if (!client.Capabilities.HasNotify)
            return false;
        var unheard = new HashSet<string>(StringComparer.Ordinal);
        foreach (var path in ignored)
            unheard.Add(await WireNameAsync(path, cancellationToken));
        try
        {
            await client.NotifyAsync(news => feed.Hear(news, unheard), cancellationToken);
            feed.AddNotify(client);
            return true;
        }
        catch (ImapCommandException e) when (!e.IsTransient)
        {
            // The server announces NOTIFY and refuses it, as Dovecot does without an index of its folders.
            context.OnNote($"{endpoint.Display}: no NOTIFY: {e.Reply}");
            return false;
        }
    }

    /// <exception cref="MailException">There is no folder to listen to.</exception>
    private async Task<bool> IdleAsync(ImapChangeFeed feed, ImapClient first, IReadOnlyList<FolderPath> wanted, int most, CancellationToken cancellationToken)
    {
        if (!first.Capabilities.HasIdle)
            return false;
        if (wanted.Count == 0)
            throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: no folder matches 'watch: folders'");
        // The connection for the next folder: the first one, or the one on which a folder was refused; null when a new one has to be made.
        ImapClient? free = first;
        try
        {
            foreach (var path in wanted)
            {
                if (most == 0 || !await AddIdleAsync(path))
                    break;
            }

            return feed.Connections > 0;
        }
        finally
        {
            if (free is not null && free != first)
                await free.DisposeAsync();
        }

        // Returns false when no further folder is to be tried.
        async Task<bool> AddIdleAsync(FolderPath path)
        {
            var isFirst = feed.Connections == 0;
            var isSelected = false;
            try
            {
                free ??= await ConnectAsync(cancellationToken);
                await free.SelectAsync(await WireNameAsync(path, cancellationToken), readOnly: true, cancellationToken);
                (isSelected, most) = (true, most - 1);
                // IDLE is begun and ended at once as a trial, since a server that announces IDLE may still refuse it.
                if (!await free.IdleAsync(_ => { }, new CancellationToken(canceled: true), cancellationToken))
                    throw new MailException(FailureScope.Store, isTransient: false, "IDLE ended before it began");
                feed.AddIdle(path, free);
                free = null;
                return true;
            }
            catch (Exception e) when (isFirst ? e is ImapCommandException { IsTransient: false } or MailException { IsTransient: false } : e is MailException || ImapFailure.IsImap(e))
            {
                context.OnNote($"{endpoint.Display}: no IDLE on {path}: {e.Message}");
                // If the server refused only this folder, the next folder is tried. Any other failure probably means that the server
                // permits no further connection.
                return isFirst || (!isSelected && e is ImapCommandException { IsTransient: false });
            }
        }
    }
}
