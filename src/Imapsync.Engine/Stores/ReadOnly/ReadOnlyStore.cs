using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.ReadOnly;

/// <summary>
/// The base class of stores that mail can only be read from: their kind is refused as a target, so their methods for writing are never called.
/// </summary>
internal abstract class ReadOnlyStore(StoreTraits traits) : IMessageStore
{
    public StoreTraits Traits => traits;

    public IAccessControl? AccessControl => null;

    public abstract Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken);

    public abstract Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken);

    public abstract Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken);

    public abstract Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken);

    public virtual Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

    public Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) => StatusAnswers.UidCountersAsync(this, path, cancellationToken);

    public Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) => StatusAnswers.ExistsAsync(this, path, cancellationToken);

    public FolderPath ListedAs(FolderPath path) => path;

    public Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken) => throw ReadOnly();

    public Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken) => throw ReadOnly();

    public Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken) => throw ReadOnly();

    public Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken) => throw ReadOnly();

    public Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken) => throw ReadOnly();

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected MailException NoFolder(FolderPath path) =>
        new(FailureScope.Folder, isTransient: false, $"{Traits.Display} has no folder {path}") { Kind = FailureKind.Gone };

    private MailException ReadOnly() => new(FailureScope.Store, isTransient: false, $"{Traits.Display}: mail can only be read from there");
}
