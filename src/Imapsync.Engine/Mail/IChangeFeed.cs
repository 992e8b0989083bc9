namespace Imapsync.Engine.Mail;

/// <summary>Tells when something may have changed in a store, for as long as it is open. It has one user.</summary>
public interface IChangeFeed : IAsyncDisposable
{
    /// <summary>By what means and of what it hears, for people: <c>IDLE on INBOX</c>.</summary>
    string Display { get; }

    /// <summary>Connections of the account that it holds.</summary>
    int Connections { get; }

    /// <summary>Returns when something has changed since it returned last, however much. No more than one may be waiting.</summary>
    /// <exception cref="MailException">It hears nothing any more: open another. What changed since, nobody tells.</exception>
    Task WaitAsync(CancellationToken cancellationToken);
}

/// <summary>Opens what tells of a store's changes. Null where the store tells nothing by itself.</summary>
public delegate Task<IChangeFeed?> FeedOpener(Endpoint endpoint, ListenRequest request, StoreContext context, CancellationToken cancellationToken);

/// <param name="Connections">The most that it may hold, from 1.</param>
/// <param name="Choose">Says of the store's folders which are to be listened to.</param>
public sealed record ListenRequest(int Connections, Func<IReadOnlyList<FolderEntry>, ListenedFolders> Choose);

/// <param name="Wanted">The most wanted first: a store may tell of some alone.</param>
/// <param name="Ignored">What changes in these is no news.</param>
public sealed record ListenedFolders(IReadOnlyList<FolderPath> Wanted, IReadOnlyCollection<FolderPath> Ignored);
