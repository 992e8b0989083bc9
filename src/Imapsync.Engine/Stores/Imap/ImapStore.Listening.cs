using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

public sealed partial class ImapStore
{
    /// <summary>Listens by NOTIFY on one connection, or else by IDLE on one for each folder. Null where the server does neither.</summary>
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
                || await store.IdleAsync(feed, client, folders.Wanted.Take(request.Connections), cancellationToken))
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
            // Announced and refused, as by a Dovecot without an index of its folders.
            context.OnNote($"{endpoint.Display}: no NOTIFY: {e.Reply}");
            return false;
        }
    }

    private async Task<bool> IdleAsync(ImapChangeFeed feed, ImapClient first, IEnumerable<FolderPath> wanted, CancellationToken cancellationToken)
    {
        if (!first.Capabilities.HasIdle)
            return false;
        foreach (var path in wanted)
        {
            var isFirst = feed.Connections == 0;
            var client = isFirst ? first : null;
            try
            {
                client ??= await ConnectAsync(cancellationToken);
                await client.SelectAsync(await WireNameAsync(path, cancellationToken), readOnly: true, cancellationToken);
                // Begun and ended: what a server says it can do is no proof.
                if (!await client.IdleAsync(_ => { }, new CancellationToken(canceled: true), cancellationToken))
                    throw new MailException(FailureScope.Store, isTransient: false, "IDLE ended before it began");
                feed.AddIdle(path, client);
            }
            catch (Exception e) when (isFirst ? e is ImapCommandException { IsTransient: false } or MailException { IsTransient: false } : e is MailException || ImapFailure.IsImap(e))
            {
                context.OnNote($"{endpoint.Display}: no IDLE on {path}: {e.Message}");
                if (isFirst)
                    continue;
                // What the server grants is used up, or nearly.
                if (client is not null)
                    await client.DisposeAsync();
                break;
            }
        }

        return feed.Connections > 0;
    }
}
