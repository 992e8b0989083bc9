namespace Imapsync.Engine.Mail;

/// <summary>Reports that something may have changed in a store, for as long as the feed is open. Only one task may use it.</summary>
public interface IChangeFeed : IAsyncDisposable
{
    /// <summary>A description for people of how the feed listens and to which folders, for example <c>IDLE on INBOX</c>.</summary>
    string Display { get; }

    /// <summary>The number of the account's connections that the feed holds.</summary>
    int Connections { get; }

    /// <summary>
    /// Waits until something has changed since the last call returned. Several changes are reported as one. Only one call may be waiting.
    /// </summary>
    /// <exception cref="MailException">
    /// The feed has ended, and another one has to be opened. Changes in between are not reported.
    /// </exception>
    Task WaitAsync(CancellationToken cancellationToken);
}

/// <summary>Opens a feed of a store's changes. Returns null if the store reports none by itself.</summary>
public delegate Task<IChangeFeed?> FeedOpener(Endpoint endpoint, ListenRequest request, StoreContext context, CancellationToken cancellationToken);

/// <param name="Connections">The maximal number of connections that the feed may hold, from 1.</param>
/// <param name="Choose">Chooses which of the store's folders to listen to.</param>
public sealed record ListenRequest(int Connections, Func<IReadOnlyList<FolderEntry>, ListenedFolders> Choose);

/// <param name="Wanted">The folders to listen to, the most important first: a store may report changes of only some folders.</param>
/// <param name="Ignored">The folders whose changes are not reported.</param>
public sealed record ListenedFolders(IReadOnlyList<FolderPath> Wanted, IReadOnlyCollection<FolderPath> Ignored);
