using System.Collections.Immutable;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.CommandLine.Tests;

/// <summary>A store that can only be listed: INBOX, two folders and, with labels, All Mail.</summary>
/// <param name="isUnknown">Whether the store does not know the number of messages in its folders.</param>
internal sealed class ListedStore(string display, bool hasLabels = false, bool isUnknown = false) : ITargetStore
{
    public StoreTraits Traits { get; } = new(display, false, 1, hasLabels);

    public Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<FolderEntry>>(
    [
        new FolderEntry(FolderPath.Inbox, Status: Status(1234)), new FolderEntry(new FolderPath("Sent Items")), new FolderEntry(new FolderPath("Bj\u001b[31m")),
        .. hasLabels ? [new FolderEntry(new FolderPath("All Mail"), Special: SpecialFolder.All)] : Array.Empty<FolderEntry>(),
    ]);

    public Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult(Status(7));

    public Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<IMessageFolder>(new ListedFolder(path));

    public IAccessControl? AccessControl => null;

    public Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

    public FolderPath ListedAs(FolderPath path) => path;

    public Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<StoreFact>>([new StoreFact("software", "Listed 1.2.3 of 2026") { Brief = "Listed" }, new StoreFact("quota", "95 % used\u001b[2J", IsWarning: true)]);

    public Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken) => throw new NotSupportedException();

    public Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private FolderStatus Status(long messages) => new(new UidValidity(1), new Uid(9), isUnknown ? 0 : messages) { IsCountUnknown = isUnknown };
}

internal sealed class ListedFolder(FolderPath path) : IMessageFolder
{
    public FolderPath Path => path;

    public FolderStatus Status => default;

    public IReadOnlyDictionary<Uid, Uid> Predecessors => ImmutableDictionary<Uid, Uid>.Empty;

    public UidValidity LastingUidValidity => default;

    public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        Assert.True(request.WithDateAndSize);
        await Task.CompletedTask;
        yield return new MessageInfo(new Uid(1), FlagSet.Empty, Size: 100);
        yield return new MessageInfo(new Uid(2), FlagSet.Empty, Size: -1);
        yield return new MessageInfo(new Uid(3), FlagSet.Empty, Size: 200);
    }

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is removed from this source");

    public IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException();

    public IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
