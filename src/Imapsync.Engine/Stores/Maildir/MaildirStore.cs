using System.Collections.Concurrent;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>A Maildir tree on this machine, which may be served by Dovecot at the same time.</summary>
public sealed class MaildirStore : ITargetStore
{
    private const long LittleSpaceBytes = 1L << 30;
    private readonly MaildirEndpoint endpoint;
    private readonly bool forWriting;
    private readonly MaildirTree tree;
    private readonly StoreContext context;
    private readonly MaildirSubscriptions subscriptions;
    private readonly GroupSync sync;
    private readonly KnownLists lists = new();
    private readonly ConcurrentDictionary<FolderPath, Lock> opening = new();

    private MaildirStore(MaildirEndpoint endpoint, bool forWriting, MaildirTree tree, StoreContext context)
    {
        (this.endpoint, this.forWriting, this.tree, this.context) = (endpoint, forWriting, tree, context);
        subscriptions = new MaildirSubscriptions(tree, context.Time);
        sync = new GroupSync(context.Time);
        Traits = new StoreTraits(endpoint.Display, StatusShowsFlagChanges: false, MaxConcurrentFolders: Math.Clamp(Environment.ProcessorCount, 2, 8)) { KeepsWhatItGets = true, SubscribesTogether = true, IsFlat = tree.IsFlat() };
    }

    public StoreTraits Traits { get; }

    public IAccessControl? AccessControl => null;

    /// <exception cref="MailException">Store scope: there is no Maildir to read, or the directory can't be created.</exception>
    public static Task<ITargetStore> OpenAsync(MaildirEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        OpenAsync(endpoint, forWriting, context, directory => NameLimits.Probe(directory), cancellationToken);

    /// <param name="probe">Returns the names that the file system of a directory accepts.</param>
    internal static Task<ITargetStore> OpenAsync(
        MaildirEndpoint endpoint, bool forWriting, StoreContext context, Func<string, NameLimits> probe, CancellationToken cancellationToken) =>
        Task.Run<ITargetStore>(
            () => LocalFiles.Guard(FailureScope.Store, endpoint.Display, () =>
            {
                var place = MaildirTree.Of(endpoint);
                EmptiedTarget.Refuse(endpoint, place.Root, isMaildir: true, context);
                if (forWriting)
                {
                    if (context.MessagesHeld == 0)
                        RequireLayout(endpoint, place);
                    LocalFiles.CreateRoot(place.Root);
                    place.Limits = probe(place.Root);
                    if (place.Limits.AreOfWindows)
                        context.OnNote($"{endpoint.Display}: {LimitsText(place.Limits)}");
                }
                else
                {
                    // A mistyped path must not look like a mailbox from which all mail was removed, so it is refused.
                    RequireMaildir(endpoint, place);
                }

                return new MaildirStore(endpoint, forWriting, place, context);
            }),
            cancellationToken);

    public Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<FolderEntry>>(
            FailureScope.Store,
            tree.Root,
            () =>
            {
                // Created directories are synced before their folder is reported, so that a reported folder survives a power failure.
                tree.Made.Sync();
                var subscribed = ReadSubscriptions();
                var leftOut = new LeftOutPlaces(tree.Root, withFiles: !forWriting);
                var entries = tree.List(leftOut);
                foreach (var text in leftOut.Texts)
                    context.OnUnread(null, Reasons.Unread, text);
                if (leftOut.HasUnseenFiles)
                    context.OnNote($"{endpoint.Display}: so many files lie beside the Maildirs that not all were looked at for mail");
                return
                [
                    .. entries.Select(e => new FolderEntry(
                        e.Path, e.HoldsMessages, e.Path.IsInbox ? SpecialFolder.Inbox : SpecialFolder.None, subscribed.Contains(e.Path))),
                ];
            },
            cancellationToken);

    public async Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken)
    {
        await using var folder = await OpenAsync(path, cancellationToken);
        return folder.Status;
    }

    public Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

    public Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) => StatusAnswers.ExistsAsync(this, path, cancellationToken);

    public Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) =>
        RunAsync(
            FailureScope.Folder,
            path.ToString(),
            () =>
            {
                var list = new UidList(Existing(path).Directory, context.Time);
                list.ReadEnds();
                return new UidCounters(list.Validity, list.Next);
            },
            cancellationToken);

    public FolderPath ListedAs(FolderPath path) => path;

    public Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

    public Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) =>
        RunAsync<IMessageFolder>(
            FailureScope.Folder,
            path.ToString(),
            () =>
            {
                // Only one task at a time may read and extend the remembered UIDs of a folder.
                lock (opening.GetOrAdd(path, _ => new Lock()))
                    return MaildirFolder.Open(path, Existing(path, mayLackCur: !File.Exists(Path.Combine(tree.DirectoryOf(path), UidList.FileName))), context, lists.Take(path));
            },
            cancellationToken);

    public async Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken)
    {
        try
        {
            return await WritableMaildirFolder.OpenAsync(path, ExistingForWriting(path), ExistingForWriting, sync, tree.Limits, context, lists, cancellationToken);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw LocalFiles.Failure(e, FailureScope.Folder, path.ToString());
        }
    }

    /// <remarks>The special use is ignored: a Maildir can't record it, and a server sets it in its own configuration.</remarks>
    public Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken) =>
        RunAsync(
            FailureScope.Folder,
            path.ToString(),
            () =>
            {
                var paths = new MaildirPaths(tree.DirectoryOf(path));
                var look = paths.Look();
                if (!look.IsUsable)
                    throw InTheWay(paths);
                if (look.IsWhole)
                    return paths;
                var created = tree.Create(path, paths);
                if (FolderNaming.LooksShortened(Path.GetFileName(created.Directory)))
                    context.OnNote($"{path} is kept in {created.Directory}: its name is too long for a directory, or another folder has it but for case");
                return created;
            },
            cancellationToken);

    public Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken) =>
        RunAsync(
            FailureScope.Folder,
            from.ToString(),
            () =>
            {
                _ = Existing(from);
                tree.Rename(from, to);
                return to;
            },
            cancellationToken);

    public Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken) =>
        SetSubscribedAsync(new Dictionary<FolderPath, bool> { [path] = subscribed }, cancellationToken);

    public async Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken)
    {
        try
        {
            await subscriptions.SetAsync(wanted, cancellationToken);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw LocalFiles.Failure(e, FailureScope.Folder, wanted.Count == 1 ? wanted.First().Key.ToString() : "subscriptions");
        }
    }

    public Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) =>
        RunAsync<IReadOnlyList<StoreFact>>(
            FailureScope.Store,
            tree.Root,
            () =>
            {
                var drive = new DriveInfo(tree.Root);
                var free = drive.AvailableFreeSpace;
                var limits = tree.Limits.AreOfWindows ? tree.Limits : NameLimits.Guess(drive.DriveFormat);
                return
                [
                    .. limits.AreOfWindows ? (StoreFact[])[new StoreFact("names", LimitsText(limits), IsWarning: true)] : [],
                    new StoreFact("format", "Maildir"),
                    new StoreFact("layout", endpoint.Layout == MaildirLayout.Fs ? "fs (nested directories)" : "Maildir++ (.A.B)"),
                    new StoreFact("path", tree.Root),
                    new StoreFact("free space", $"{free / (1 << 20)} MiB", IsWarning: free < LittleSpaceBytes),
                ];
            },
            cancellationToken);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private static Task<T> RunAsync<T>(FailureScope scope, string what, Func<T> action, CancellationToken cancellationToken) =>
        Task.Run(() => LocalFiles.Guard(scope, what, action), cancellationToken);

    private MaildirPaths ExistingForWriting(FolderPath path)
    {
        tree.Made.Sync();
        return Existing(path, mayLackCur: true);
    }

    /// <param name="mayLackCur">
    /// Whether new/ without cur/ is accepted. For writing it is, because missing directories are created. For reading it is only if the
    /// folder has no uidlist, because an archive may have left out the empty cur/.
    /// </param>
    private MaildirPaths Existing(FolderPath path, bool mayLackCur = false)
    {
        var paths = new MaildirPaths(tree.DirectoryOf(path));
        var look = paths.Look();
        if (!look.IsUsable)
            throw LocalFiles.Failure(InTheWay(paths), FailureScope.Folder, path.ToString());
        if (!look.HasCur && !(mayLackCur && look.HasNew))
            throw new MailException(FailureScope.Folder, isTransient: false, $"there is no folder {path}") { Kind = FailureKind.Gone };
        return paths;
    }

    private HashSet<FolderPath> ReadSubscriptions()
    {
        try
        {
            return subscriptions.Read();
        }
        catch (Exception e) when (FileErrors.Is(e) && !FileErrors.IsEverywhere(e))
        {
            context.OnUnread(null, Reasons.Subscriptions, $"subscriptions can't be read: {FileErrors.Explain(e)}");
            return [];
        }
    }

    private static string LimitsText(NameLimits limits) =>
        $"this file system takes no ':' in names: flags are written behind '{limits.InfoSeparator}' instead, and folder names with characters it does not take are escaped; a Dovecot can't serve such a Maildir, mbsync needs InfoDelimiter {limits.InfoSeparator}";

    private static void RequireMaildir(MaildirEndpoint endpoint, MaildirTree place)
    {
        if (Directory.Exists(place.Root) && place.List(new LeftOutPlaces(place.Root)).Any(e => e.HoldsMessages))
            return;
        var leftOut = new LeftOutPlaces(place.Root, withFiles: true);
        if (Directory.Exists(place.Root))
            _ = place.List(leftOut);
        var hint = leftOut.IsEmpty ? ""
            : endpoint.Layout != MaildirLayout.Fs && LeftOutPlaces.HoldsMaildirs(place.Root)
                ? "; directories below it hold Maildirs, so layout: fs might be meant"
                : $"; {leftOut.Texts.First()}";
        throw new MailException(FailureScope.Store, isTransient: false, $"{endpoint.Display}: there is no Maildir{hint}") { Kind = FailureKind.Gone };
    }

    /// <summary>Refuses to write into a tree that another program created in another layout, because the two layouts would mix.</summary>
    private static void RequireLayout(MaildirEndpoint endpoint, MaildirTree place)
    {
        if (endpoint.Layout == MaildirLayout.Fs || !Directory.Exists(place.Root) || File.Exists(Path.Combine(place.Root, UidList.FileName)))
            return;
        var directories = new LeftOutPlaces(place.Root).RealDirectories(place.Root);
        if (directories.Any(d => d.Name[0] == '.' && MaildirTree.HoldsMessages(d.FullName)))
            return;
        if (directories.FirstOrDefault(d => d.Name is not ("cur" or "new" or "tmp") && d.Name[0] != '.' && LeftOutPlaces.HoldsMaildirs(d.FullName)) is { } nested)
        {
            throw new MailException(
                FailureScope.Store, isTransient: false,
                $"{endpoint.Display}: {nested.FullName} holds Maildirs, which the layout Maildir++ does not have, so a second tree would be made between them; nothing was written. "
                + "Say layout: fs for the target if that is its layout, or name another directory");
        }
    }

    private static IOException InTheWay(MaildirPaths paths) => new(
        $"{paths.Directory} or its cur, new or tmp is a symbolic link or no directory: it may lead out of the store, so it is not followed; put a directory in its place, or remove it");
}
