using System.Globalization;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>
/// A directory of <c>.eml</c> files in the layout of <see cref="EmlTree"/>. A folder that this program has written to has an index
/// (<see cref="EmlIndex"/>) in its directory. A folder without an index is read as files of another program (<see cref="MailFileFolder"/>).
/// </summary>
internal sealed class EmlStore : ITargetStore
{
    private readonly EmlTree tree;
    private readonly StoreContext context;
    private readonly SubscriptionFile subscriptions;
    private readonly EmlWriting writing;
    private readonly SemaphoreSlim creating = new(1);
    private IReadOnlyDictionary<FolderPath, IReadOnlyList<string>> listed = new Dictionary<FolderPath, IReadOnlyList<string>>();

    private EmlStore(EmlEndpoint endpoint, EmlTree tree, StoreContext context)
    {
        (this.tree, this.context) = (tree, context);
        subscriptions = new SubscriptionFile(tree.Root);
        writing = new EmlWriting(endpoint.Display, new Lazy<string>(tree.MakeTemporaryDirectory), new DeliveryNames(context.Time), new GroupSync(context.Time), OpenToWriteAsync);
        Traits = new StoreTraits(endpoint.Display, StatusShowsFlagChanges: false, MaxConcurrentFolders: Math.Clamp(Environment.ProcessorCount, 2, 8)) { KeepsWhatItGets = true };
    }

    public StoreTraits Traits { get; }

    public IAccessControl? AccessControl => null;

    /// <exception cref="MailException">Store scope: the directory holds no mail to read, or could not be created.</exception>
    public static Task<ITargetStore> OpenAsync(EmlEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        Task.Run<ITargetStore>(() => LocalFiles.Guard(FailureScope.Store, endpoint.Display, () =>
        {
            var found = new EmlTree(Path.GetFullPath(endpoint.Directory));
            EmptiedTarget.Refuse(endpoint, found.Root, isMaildir: false, context);
            var store = new EmlStore(endpoint, found, context);
            if (forWriting)
            {
                LocalFiles.CreateRoot(found.Root);
                found.Limits = NameLimits.Probe(found.Root);
                if (found.Limits.AreOfWindows)
                    context.OnNote($"{endpoint.Display}: this file system takes fewer names than others: what can't stand in the name of a folder's directory is escaped");
                if (LocalFiles.IsRealDirectory(found.TemporaryDirectory))
                    store.writing.Names.RemoveLeftovers(found.TemporaryDirectory);
                return store;
            }

            if (!Directory.Exists(found.Root))
                throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: there is no such directory") { Kind = FailureKind.Gone };
            // A directory without any mail is refused: if a disk is not mounted or the path is mistyped, all mail would seem to have been removed.
            store.listed = found.List(new LeftOut());
            return store.listed.Count > 0
                ? store
                : throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: there is no mail of {found.Name}") { Kind = FailureKind.Gone };
        }), cancellationToken);

    public async Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken)
    {
        var subscribed = subscriptions.IsThere ? await LocalFiles.GuardAsync(tree.Root, () => subscriptions.ReadAsync(cancellationToken)) : null;
        return await RunAsync<IReadOnlyList<FolderEntry>>(FailureScope.Store, tree.Root, () =>
        {
            var leftOut = new LeftOut();
            listed = tree.List(leftOut);
            leftOut.Tell(context, Traits.Display, null);
            return
            [
                .. listed.Keys.Select(f => new FolderEntry(f, Special: f.IsInbox ? SpecialFolder.Inbox : SpecialFolderNames.UseOf(f), Subscribed: subscribed?.Contains(f) == true)
                {
                    KnowsSubscription = subscribed is not null,
                }),
            ];
        }, cancellationToken);
    }

    public async Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken)
    {
        await using var folder = await OpenAsync(path, cancellationToken);
        return folder.Status;
    }

    public async Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var counters = await RunAsync<UidCounters?>(FailureScope.Folder, path.ToString(), () =>
        {
            var index = new EmlIndex(Existing(path), context.Time);
            index.Refresh();
            return index.IsDamaged || index.Validity.IsNone ? null : new UidCounters(index.Validity, index.Next);
        }, cancellationToken);
        return counters ?? await StatusAnswers.UidCountersAsync(this, path, cancellationToken);
    }

    public Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) =>
        RunAsync(FailureScope.Folder, path.ToString(), () => tree.Find(path) is not null || Listed(path).Count > 0, cancellationToken);

    public Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public FolderPath ListedAs(FolderPath path) => path;

    public Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

    public Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) => RunAsync(FailureScope.Folder, path.ToString(), () =>
    {
        var directory = Existing(path);
        return EmlIndex.IsIn(directory)
            ? EmlFolder.Open(path, directory, context, Traits.Display)
            : MailFileFolder.Open(path, Traits.Display, Listed(path) is { Count: > 0 } directories ? directories : [directory], tree, context, Traits.Display);
    }, cancellationToken);

    public async Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken) => await OpenToWriteAsync(path, cancellationToken);

    /// <remarks>The special use is ignored, since the store has no place to record it.</remarks>
    public Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken) => LocalFiles.GuardAsync(path.ToString(), async () =>
    {
        await creating.WaitAsync(cancellationToken);
        try
        {
            var directory = tree.Create(path);
            if (FileNames.LooksDigested(Path.GetFileName(directory)))
                context.OnNote($"{path} is kept in {directory}: its name is too long for a directory, or another folder has it but for case");
            // As long as the directory holds no messages, only the index makes it a folder.
            if (!EmlIndex.IsIn(directory))
                await (await WritableEmlFolder.OpenAsync(path, directory, writing, context, cancellationToken)).DisposeAsync();
            return directory;
        }
        finally
        {
            creating.Release();
        }
    });

    public Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken) => RunAsync(FailureScope.Folder, from.ToString(), () =>
    {
        _ = Existing(from);
        tree.Rename(from, to);
        return to;
    }, cancellationToken);

    public async Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken)
    {
        foreach (var (path, subscribed) in wanted)
            await SetSubscribedAsync(path, subscribed, cancellationToken);
    }

    public Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken) => LocalFiles.GuardAsync(path.ToString(), async () =>
    {
        await subscriptions.SetAsync(path, subscribed, cancellationToken);
        return subscribed;
    });

    public Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) => RunAsync<IReadOnlyList<StoreFact>>(FailureScope.Store, tree.Root, () =>
    {
        var folders = tree.List(new LeftOut());
        var areOthers = folders.Values.Any(d => !d.Any(EmlIndex.IsIn));
        return
        [
            new StoreFact("path", tree.Root),
            new StoreFact("layout", "folder A/B is the directory A/B"),
            new StoreFact("format", $"a file with the ending {MessageFileName.Extension} for each message; flags and dates beside them in {EmlIndex.FileName}"),
            new StoreFact("folders", folders.Count.ToString(CultureInfo.InvariantCulture)),
            .. areOthers ? (StoreFact[])[new StoreFact("not told by the files", tree.Untold)] : [],
            new StoreFact("free space", string.Create(CultureInfo.InvariantCulture, $"{new DriveInfo(tree.Root).AvailableFreeSpace / 1_000_000} MB")),
        ];
    }, cancellationToken);

    public ValueTask DisposeAsync()
    {
        subscriptions.Dispose();
        creating.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task<WritableEmlFolder> OpenToWriteAsync(FolderPath path, CancellationToken cancellationToken) => LocalFiles.GuardAsync(
        path.ToString(), () =>
        {
            var directory = Existing(path);
            return LocalFiles.IsRealDirectory(directory) ? WritableEmlFolder.OpenAsync(path, directory, writing, context, cancellationToken) : throw NoFolder(path);
        });

    private string Existing(FolderPath path) => tree.Find(path) ?? Listed(path).FirstOrDefault() ?? throw NoFolder(path);

    /// <summary>
    /// Returns the existing directories of a folder. There may be several, since somebody else may have spelt the folder's name in several ways. If
    /// the folder is not in the listing, the directories are listed again, because the folder may have been created since.
    /// </summary>
    private List<string> Listed(FolderPath path) =>
        [.. (listed.GetValueOrDefault(path) ?? tree.List(new LeftOut()).GetValueOrDefault(path) ?? []).Where(Directory.Exists)];

    private MailException NoFolder(FolderPath path) =>
        new(FailureScope.Folder, isTransient: false, $"{Traits.Display} has no folder {path}") { Kind = FailureKind.Gone };

    private static Task<T> RunAsync<T>(FailureScope scope, string what, Func<T> action, CancellationToken cancellationToken) =>
        Task.Run(() => LocalFiles.Guard(scope, what, action), cancellationToken);
}
