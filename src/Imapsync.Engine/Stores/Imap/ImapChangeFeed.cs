using System.Threading.Channels;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Waits for the changes that an IMAP server announces by NOTIFY or IDLE. It uses connections of its own, which do nothing else.
/// </summary>
/// <param name="store">The store that has the feed's first connection; disposed together with the feed.</param>
internal sealed class ImapChangeFeed(ImapStore store, TimeProvider time) : IChangeFeed
{
    /// <summary>The shortest time between two IDLE commands on a connection, for a server that ends each IDLE at once.</summary>
    private static readonly TimeSpan ShortestIdle = TimeSpan.FromSeconds(10);

    // Holds one element, since it only matters that something changed, not how often.
    private readonly Channel<bool> news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource closing = new();
    private readonly List<ImapClient> clients = [];
    private readonly List<FolderPath> idling = [];
    private readonly List<Task> hearing = [];

    public string Display => idling.Count == 0 ? "NOTIFY on all of the user's own folders" : $"IDLE on {string.Join(", ", idling)}";

    public int Connections => clients.Count;

    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await news.Reader.WaitToReadAsync(cancellationToken);
        news.Reader.TryRead(out _);
    }

    /// <param name="unheard">The wire names of folders whose changes are ignored.</param>
    public void Hear(FolderNews told, HashSet<string> unheard)
    {
        if (told.Kind == FolderNewsKind.Overflow)
            Fail(new MailException(FailureScope.Folder, isTransient: true, $"{store.Traits.Display}: the server tells no more, too much has happened (NOTIFICATIONOVERFLOW)"));
        else if (told.WireName is null || !unheard.Contains(told.WireName))
            news.Writer.TryWrite(true);
    }

    /// <summary>
    /// Adds a connection on which NOTIFY was set. The server does not close it for being idle, since the connection pool sends a NOOP now
    /// and then.
    /// </summary>
    public void AddNotify(ImapClient client)
    {
        clients.Add(client);
        hearing.Add(AwaitEndAsync());

        async Task AwaitEndAsync()
        {
            await client.Ended;
            Fail(client.BreakReason!);
        }
    }

    /// <summary>Adds a connection on which the folder is selected, and runs IDLE on it. No other commands are sent there.</summary>
    public void AddIdle(FolderPath folder, ImapClient client)
    {
        clients.Add(client);
        idling.Add(folder);
        hearing.Add(IdleAsync(client));
    }

    public async ValueTask DisposeAsync()
    {
        await closing.CancelAsync();
        await Task.WhenAll(ConnectionPool.LogOutAsync(clients.Skip(1), time), store.DisposeAsync().AsTask());
        await Task.WhenAll(hearing);
        closing.Dispose();
    }

    private async Task IdleAsync(ImapClient client)
    {
        try
        {
            while (!closing.IsCancellationRequested)
            {
                var since = time.GetTimestamp();
                // IDLE is ended and begun anew long before a server would end it (30 minutes, RFC 2177), and often enough for routers that drop quiet connections.
                using var due = new CancellationTokenSource(ConnectionPool.KeepAliveAfter, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, closing.Token);
                if (!await client.IdleAsync(_ => news.Writer.TryWrite(true), either.Token, CancellationToken.None))
                    throw new MailException(FailureScope.Folder, isTransient: true, $"{store.Traits.Display}: the server does not let IDLE begin any more");
                var rest = ShortestIdle - time.GetElapsedTime(since);
                if (!either.IsCancellationRequested && rest > TimeSpan.Zero)
                    await Task.Delay(rest, time, closing.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    private void Fail(Exception reason) => news.Writer.TryComplete(
        ImapFailure.IsImap(reason) ? ImapFailure.Translate(reason, FailureScope.Folder, $"{store.Traits.Display}: it tells of no changes any more") : reason);
}
