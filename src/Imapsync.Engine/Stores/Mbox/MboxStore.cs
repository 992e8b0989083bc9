using System.Collections.Concurrent;
using System.Globalization;
using Imapsync.Engine.Durability;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// A directory of mbox files, laid out as <see cref="MboxTree"/> says. Written as mboxrd; read whatever kind it is. Beside each file that was
/// written lies an index (<see cref="IndexLines"/>), which may be deleted at any time: it is made anew, with new UIDs.
/// </summary>
internal sealed class MboxStore : IMailStore
{
    private readonly MboxTree tree;
    private readonly StoreContext context;
    private readonly MboxSubscriptions subscriptions;

    /// <summary>Files that had to be read through to be counted, so that opening them need not do it again.</summary>
    private readonly ConcurrentDictionary<string, MboxState> counted = new();

    private MboxStore(MboxEndpoint endpoint, StoreContext context)
    {
        tree = new MboxTree(Path.GetFullPath(endpoint.Directory));
        subscriptions = new MboxSubscriptions(tree.Root);
        this.context = context;
        Traits = new StoreTraits(endpoint.Display, StatusShowsFlagChanges: false, MaxConcurrentFolders: 4) { KeepsWhatItGets = true };
    }

    public StoreTraits Traits { get; }

    public static async Task<IMailStore> OpenAsync(MboxEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        await Task.CompletedTask;
        var store = new MboxStore(endpoint, context);
        try
        {
            if (forWriting)
                LocalFiles.CreateRoot(store.tree.Root);
        }
        catch (Exception error) when (FileTrouble.Is(error))
        {
            throw LocalFiles.Failure(error, FailureScope.Store, endpoint.Display);
        }

        return Directory.Exists(store.tree.Root)
            ? store
            : throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: there is no such directory") { Kind = FailureKind.Gone };
    }

    public Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) => GuardStoreAsync<IReadOnlyList<FolderEntry>>(async () =>
    {
        var ignored = new List<string>();
        var files = tree.List(ignored.Add);
        if (ignored.Count > 0)
            context.OnNote($"{Traits.Display}: {ignored.Count} files are no mbox or symbolic links and are left out, {ignored[0]} first");
        var subscribed = await subscriptions.ReadAsync(cancellationToken);
        return
        [
            .. files.Select(f => new FolderEntry(
                f.Key, HoldsMessages: f.Value is not null, f.Key.IsInbox ? SpecialFolder.Inbox : SpecialFolder.None, subscribed.Contains(f.Key))),
        ];
    });

    public Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var file = Find(path);
        return LocalFiles.GuardAsync(file, async () =>
        {
            using var mbox = MboxFolder.Open(file);
            var state = await ReadAsync(path, file, mbox, cancellationToken);
            counted[file] = state;
            return state.Status;
        });
    }

    public Task<IMailFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var file = Find(path);
        return LocalFiles.GuardAsync<IMailFolder>(file, async () =>
        {
            var mbox = MboxFolder.Open(file);
            try
            {
                return new MboxFolder(path, mbox, await ReadAsync(path, file, mbox, cancellationToken));
            }
            catch
            {
                mbox.Dispose();
                throw;
            }
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
                // The index is in both places for a moment: whenever it stops, the mbox has its index beside it.
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

    private async Task<MboxState> ReadAsync(FolderPath path, string file, Microsoft.Win32.SafeHandles.SafeFileHandle mbox, CancellationToken cancellationToken)
    {
        // A UIDVALIDITY comes from the index, which is as quickly read as checked; what has none had to be parsed.
        if (counted.TryRemove(file, out var known) && known.Validity.IsNone && known.Stamp == FileStamp.Of(mbox) && !File.Exists(file + FileNames.IndexSuffix))
            return known;
        var found = await MboxFindings.ReadAsync(file, mbox, cancellationToken);
        if (!found.IsIndexed)
            new MboxFile(file, path, context).NoteVariants(found);
        return found.State;
    }

    private async Task<T> GuardStoreAsync<T>(Func<Task<T>> touch)
    {
        try
        {
            return await touch();
        }
        catch (Exception error) when (FileTrouble.Is(error))
        {
            throw LocalFiles.Failure(error, FailureScope.Store, Traits.Display);
        }
    }
}
