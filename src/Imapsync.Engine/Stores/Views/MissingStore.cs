using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Views;

/// <summary>Stands in a dry run for a target directory that the run would create. It has no folders.</summary>
internal sealed class MissingStore(string display) : ITargetStore
{
    public StoreTraits Traits { get; } = new(display, StatusShowsFlagChanges: false, MaxConcurrentFolders: 4) { KeepsWhatItGets = true };

    public Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<FolderEntry>>([]);

    public Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken) => throw NoFolder(path);

    public Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) => throw NoFolder(path);

    public Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult(false);

    public IAccessControl? AccessControl => null;

    public FolderPath ListedAs(FolderPath path) => path;

    public Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => throw NoFolder(path);

    public Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) => throw NoFolder(path);

    public Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken) => throw NoFolder(path);

    public Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken) => throw NoFolder(path);

    public Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken) => throw NoFolder(from);

    public Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken) => throw NoFolder(path);

    public Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken) => throw NoFolder(wanted.Keys.First());

    public Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<StoreFact>>([]);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private MailException NoFolder(FolderPath path) =>
        new(FailureScope.Folder, isTransient: false, $"{Traits.Display} has no folder {path}") { Kind = FailureKind.Gone };
}
