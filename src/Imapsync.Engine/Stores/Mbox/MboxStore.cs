using System.Collections.Concurrent;
using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// A directory of mbox files in the layout of <see cref="MboxTree"/>. Files are written as mboxrd; any variant can be read. Each file
/// written by this program has an index (<see cref="IndexLines"/>) beside it. If the index is deleted, a new one with new UIDs is created.
/// </summary>
internal sealed class MboxStore : ITargetStore
{
    private readonly MboxTree tree;
    private readonly StoreContext context;
    private readonly SubscriptionFile subscriptions;

    /// <summary>The states of files that were read completely to be counted. Opening these files does not read them again.</summary>
    private readonly ConcurrentDictionary<string, MboxState> counted = new();

    private MboxStore(MboxEndpoint endpoint, StoreContext context)
    {
        tree = new MboxTree(Path.GetFullPath(endpoint.Directory));
        subscriptions = new SubscriptionFile(tree.Root);
        this.context = context;
        Traits = new StoreTraits(endpoint.Display, StatusShowsFlagChanges: false, MaxConcurrentFolders: 4) { KeepsWhatItGets = true, NotedFields = MetadataNames.Noted };
    }

    public StoreTraits Traits { get; }

    public IAccessControl? AccessControl => null;

    public static async Task<ITargetStore> OpenAsync(MboxEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await Task.CompletedTask;
        var store = new MboxStore(endpoint, context);
        try
        {
            EmptiedTarget.Refuse(endpoint, store.tree.Root, isMaildir: false, context);
            if (forWriting)
            {
                LocalFiles.CreateRoot(store.tree.Root);
                store.tree.Limits = NameLimits.Probe(store.tree.Root);
                if (store.tree.Limits.AreOfWindows)
                    context.OnNote($"{endpoint.Display}: this file system takes fewer names than others: what can't stand in the name of a folder's file is escaped");
            }
        }
        catch (Exception error) when (FileErrors.Is(error))
        {
            throw LocalFiles.Failure(error, FailureScope.Store, endpoint.Display);
        }

        if (!Directory.Exists(store.tree.Root))
            throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: there is no such directory") { Kind = FailureKind.Gone };

        // A path without mail is refused, because an unmounted disk or a mistyped path would look like an emptied mailbox.
        if (!forWriting && LocalFiles.Guard(FailureScope.Store, endpoint.Display, store.tree.List) is var listing && listing.Folders.All(f => f.Value.Count == 0))
        {
            throw new MailException(FailureScope.Store, isTransient: false, string.Join("; ", new[] { $"{endpoint.Display}: there is no mbox", listing.UnreadText, listing.IgnoredText }.OfType<string>())) { Kind = FailureKind.Gone };
        }

        return store;
    }

    public Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) => GuardStoreAsync<IReadOnlyList<FolderEntry>>(async () =>
    {
        var listing = tree.List();
        if (listing.IgnoredText is { } ignored)
            context.OnNote($"{Traits.Display}: {ignored}");
        if (listing.UnreadText is { } unread)
            context.OnUnread(null, Reasons.Unread, $"{Traits.Display}: {unread}");
        var subscribed = await subscriptions.ReadAsync(cancellationToken);
        return
        [
            .. listing.Folders.Select(f => new FolderEntry(
                f.Key, HoldsMessages: f.Value.Count > 0, f.Key.IsInbox ? SpecialFolder.Inbox : SpecialFolder.None, subscribed.Contains(f.Key))),
        ];
    });

    public Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var file = Find(path);
        return LocalFiles.GuardAsync(file, async () =>
        {
            var (mbox, state) = await ReadAsync(path, file, cancellationToken);
            mbox.Dispose();
            counted[file] = state;
            return state.Status;
        });
    }

    public Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) =>
        StatusAnswers.UidCountersAsync(this, path, cancellationToken);

    public Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) => StatusAnswers.ExistsAsync(this, path, cancellationToken);

    public FolderPath ListedAs(FolderPath path) => path;

    public Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

    public Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var file = Find(path);
        return LocalFiles.GuardAsync<IMessageFolder>(file, async () =>
        {
            var (mbox, state) = await ReadAsync(path, file, cancellationToken);
            return new MboxFolder(path, mbox, state);
        });
    }

    public Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var file = Find(path);
        counted.TryRemove(file, out _);
        return LocalFiles.GuardAsync<IWritableFolder>(
            file, async () => await MboxWritableFolder.OpenAsync(path, file, context, OpenForWritingAsync, cancellationToken));
    }

    public Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken) => LocalFiles.GuardAsync(path.ToString(), () =>
    {
        lock (tree)
        {
            var file = tree.Create(path);
            if (FileNames.LooksDigested(Path.GetFileName(file)))
                context.OnNote($"{path} is kept in {file}: its name is too long for a file, or another folder has it but for case");
            return Task.FromResult(file);
        }
    });

    public Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken)
    {
        var old = Find(from);
        return LocalFiles.GuardAsync(old, async () =>
        {
            await using var held = await MboxLock.AcquireAsync(old, context.Time, cancellationToken);
            lock (tree)
            {
                if (tree.Find(to) is not null)
                    throw new MailException(FailureScope.Folder, isTransient: false, $"{from} cannot be renamed: there is a folder {to}");
                // The index is copied before the mbox is renamed. So the mbox has its index beside it even if the process is killed in
                // between.
                var renamed = tree.Create(to);
                if (File.Exists(old + FileNames.IndexSuffix))
                    File.Copy(old + FileNames.IndexSuffix, renamed + FileNames.IndexSuffix, overwrite: true);
                File.Move(old, renamed, overwrite: true);
                File.Delete(old + FileNames.IndexSuffix);
                Posix.SyncDirectory(Path.GetDirectoryName(renamed)!);
                Posix.SyncDirectory(Path.GetDirectoryName(old)!);
                return true;
            }
        });
    }

    public async Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken)
    {
        foreach (var (path, subscribed) in wanted)
            await SetSubscribedAsync(path, subscribed, cancellationToken);
    }

    public Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken) => GuardStoreAsync(async () =>
    {
        await subscriptions.SetAsync(path, subscribed, cancellationToken);
        return true;
    });

    public async Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken)
    {
        var folders = await ListFoldersAsync(cancellationToken);
        var free = new DriveInfo(tree.Root).AvailableFreeSpace;
        return
        [
            new StoreFact("path", tree.Root),
            new StoreFact("layout", "folder A/B is the file A.sbd/B"),
            new StoreFact("format", "written as mboxrd; mboxrd, mboxo, mboxcl and mboxcl2 are read"),
            new StoreFact("folders", folders.Count.ToString(CultureInfo.InvariantCulture)),
            new StoreFact("free space", string.Create(CultureInfo.InvariantCulture, $"{free / 1_000_000} MB")),
        ];
    }

    public ValueTask DisposeAsync()
    {
        subscriptions.Dispose();
        return ValueTask.CompletedTask;
    }

    private string Find(FolderPath path) =>
        tree.Find(path)
        ?? throw new MailException(FailureScope.Folder, isTransient: false, $"{Traits.Display} has no folder {path}") { Kind = FailureKind.Gone };

    private async Task<(SafeFileHandle Mbox, MboxState State)> ReadAsync(FolderPath path, string file, CancellationToken cancellationToken)
    {
        // Only a state without UIDVALIDITY is reused, because the whole file was parsed for it. A state with UIDVALIDITY comes from the
        // index, which is quick to read again.
        if (counted.TryRemove(file, out var known) && known.Validity.IsNone && !File.Exists(file + FileNames.IndexSuffix))
        {
            var counting = MboxFolder.Open(file);
            if (known.Stamp == MboxStamp.Of(counting))
                return (counting, known);
            counting.Dispose();
        }

        var memory = MboxMemory.Of(file, context);
        var (mbox, found) = await QuietMbox.OpenAsync(file, memory?.IndexPath ?? file + FileNames.IndexSuffix, context.Time, cancellationToken);
        if (!found.IsIndexed)
            new MboxFile(file, path, context).NoteVariants(found);
        if (found.Doubts.Count > 0)
            context.OnUnread(path, Reasons.Doubtful, $"{file}: {found.Doubts[0]}{(found.Doubts.Count > 1 ? $"; {found.Doubts.Count - 1} more such lines" : "")}");
        try
        {
            return (mbox, memory is null ? found.State : await memory.KeepAsync(found, cancellationToken));
        }
        catch
        {
            mbox.Dispose();
            throw;
        }
    }

    private async Task<T> GuardStoreAsync<T>(Func<Task<T>> touch)
    {
        try
        {
            return await touch();
        }
        catch (Exception error) when (FileErrors.Is(error))
        {
            throw LocalFiles.Failure(error, FailureScope.Store, Traits.Display);
        }
    }
}
