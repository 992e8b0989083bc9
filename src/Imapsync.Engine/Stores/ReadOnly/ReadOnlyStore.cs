using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.ReadOnly;

/// <summary>The base class of stores that mail can only be read from.</summary>
internal abstract class ReadOnlyStore(StoreTraits traits) : IMessageStore
{
    public StoreTraits Traits => traits;

    public IAccessControl? AccessControl => null;

    public abstract Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken);

    public abstract Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken);

    public abstract Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken);

    public abstract Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken);

    public virtual Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

    public Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) => StatusAnswers.ExistsAsync(this, path, cancellationToken);

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    protected MailException NoFolder(FolderPath path) =>
        new(FailureScope.Folder, isTransient: false, $"{Traits.Display} has no folder {path}") { Kind = FailureKind.Gone };
}
