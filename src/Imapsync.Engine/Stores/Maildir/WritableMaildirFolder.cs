using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Maildir;

/// <summary>
/// A folder open for writing. Appending reads only the first and last line of the uidlist. Operations on existing messages first assign
/// UIDs to those that have none.
/// </summary>
internal sealed class WritableMaildirFolder : MaildirFolder, IWritableFolder
{
    private readonly Func<FolderPath, MaildirPaths> find;
    private readonly GroupSync sync;
    private readonly NameLimits limits;
    private readonly StoreContext context;
    private readonly DeliveryNames names;
    private readonly KnownLists? known;
    private bool saidKeywordsAreFull;
    private bool saidKeywordsAreOdd;

    private WritableMaildirFolder(
        FolderPath path, MaildirPaths paths, Func<FolderPath, MaildirPaths> find, GroupSync sync, NameLimits limits, StoreContext context, KnownLists? known)
        : base(path, paths, context)
    {
        this.known = known;
        (this.find, this.sync, this.limits, this.context) = (find, sync, limits, context);
        names = new DeliveryNames(context.Time);
    }

    public Uid UidNext => UidList.Next;

    /// <param name="find">Returns the directories of another folder of the store.</param>
    /// <param name="known">Keeps the folder's uidlist after the folder is closed.</param>
    public static async Task<IWritableFolder> OpenAsync(
        FolderPath path, MaildirPaths paths, Func<FolderPath, MaildirPaths> find, GroupSync sync, NameLimits limits, StoreContext context, KnownLists? known, CancellationToken cancellationToken)
    {
        var folder = new WritableMaildirFolder(path, paths, find, sync, limits, context, known);
        if (!Directory.Exists(paths.Tmp) || !Directory.Exists(paths.Cur) || !Directory.Exists(paths.New))
        {
            paths.Create();
            Posix.SyncDirectory(paths.Directory);
        }

        folder.names.RemoveLeftovers(paths.Tmp);
        folder.UidList.ReadEnds();
        if (folder.UidList.Validity.IsNone)
            await (await folder.UidList.HoldAsync(cancellationToken)).DisposeAsync();
        folder.UidList.SyncName();
        folder.Keywords.Refresh();
        folder.Status = new FolderStatus(folder.UidList.Validity, folder.UidList.Next, folder.CountFiles());
        return folder;
    }

    /// <summary>
    /// Counts the files. If the folder may have messages, the index is refreshed, because new messages will be compared with them anyway.
    /// </summary>
    private long CountFiles()
    {
        if (UidNext.Value == 1)
            return MaildirIndex.CountFiles(Paths.New) + MaildirIndex.CountFiles(Paths.Cur);
        Index.Refresh();
        return Index.Files;
    }

    public async Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken)
    {
        var receipts = new List<AppendReceipt>();
        await using var delivery = new DeliveryWindow(Paths.Tmp, names);
        await foreach (var message in window.WithCancellation(cancellationToken))
        {
            if (message.Failure is not null)
                receipts.Add(new AppendReceipt(message.Uid, Uid.None, message.Failure));
            else if (!await delivery.TakeAsync(message, cancellationToken))
                receipts.Add(new AppendReceipt(message.Uid, Uid.None, WrongLength(message)));
        }

        var messages = await delivery.CompleteAsync();
        if (messages.Count > 0)
            await GuardAsync(() => PublishAsync(delivery, messages, receipts, cancellationToken));
        return receipts;
    }

    public async Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        var changed = 0;
        await GuardAsync(async () =>
        {
            foreach (var add in changes.Select(c => c.Add).Distinct())
                await AddKeywordsAsync(Keywords, add, cancellationToken);
            foreach (var change in changes)
            {
                if (Rename(change))
                    changed++;
            }

            if (changed > 0)
                SyncDirectories(Paths);
        });
        return changed;
    }

    public Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        throw new NotSupportedException("this store has no labels");

    public async Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        var removed = 0;
        var messages = Chosen(uids).ToList();
        await GuardAsync(async () =>
        {
            if (trash is not null)
                removed = await MoveAsync(messages, trash, cancellationToken);
            else
                removed = messages.Count(m => WithCurrentName(m, (_, path) => File.Delete(path)));
            if (removed > 0)
                SyncDirectories(Paths);
        });
        return removed;
    }

    public override ValueTask DisposeAsync()
    {
        known?.Keep(Path, UidList);
        return base.DisposeAsync();
    }

    /// <summary>Refreshes the index and assigns UIDs to messages that have none.</summary>
    protected override async Task RefreshAsync(CancellationToken cancellationToken)
    {
        await base.RefreshAsync(cancellationToken);
        if (Index.Unlisted.IsEmpty)
            return;
        await GuardAsync(async () =>
        {
            await ListAsync();
            if (SeparateShared())
                await ListAsync();
        });

        async Task ListAsync()
        {
            await using (var held = await UidList.HoldAsync(cancellationToken))
            {
                // Another program may have listed some messages before the lock was acquired, so the list is read again.
                UidList.ReadAll();
                foreach (var name in Index.Unlisted.Where(n => !n.Contains('/', StringComparison.Ordinal) && !UidList.Uids.ContainsName(n)))
                    held.Add(name);
                held.Write();
            }

            UidList.Sync();
            UidList.SyncName();
            Index.Refresh(force: true);
        }
    }

    /// <summary>Gives a new unique name to each file that shares the name of another message, as Dovecot does.</summary>
    private bool SeparateShared()
    {
        var sharing = Index.Sharing;
        foreach (var (_, message) in sharing)
        {
            var path = System.IO.Path.Combine(Paths.Directory, message.FileName);
            var fields = message.UniqueName.IndexOf(',', StringComparison.Ordinal);
            var name = names.Next() + (fields < 0 ? "" : message.UniqueName[fields..]) + message.Info.Text;
            if (File.Exists(path))
                File.Move(path, System.IO.Path.Combine(message.InNew ? Paths.New : Paths.Cur, name));
        }

        if (sharing.Count == 0)
            return false;
        SyncDirectories(Paths);
        Index.Refresh(force: true);
        return true;
    }

    private async Task PublishAsync(
        DeliveryWindow delivery, IReadOnlyList<TemporaryMessage> messages, List<AppendReceipt> receipts, CancellationToken cancellationToken)
    {
        await sync.SyncFilesAsync(Paths.Tmp, [.. messages.Select(m => delivery.PathOf(m.TemporaryName))], cancellationToken);
        // The keywords of all messages are added at once, since each writing of the list costs two syncs.
        await AddKeywordsAsync(Keywords, messages.Select(m => m.Flags).Distinct().Aggregate(FlagSet.Empty, (all, flags) => all.Union(flags)), cancellationToken);
        var composed = new Dictionary<FlagSet, string>();
        await using (var held = await UidList.HoldAsync(cancellationToken))
        {
            foreach (var message in messages)
            {
                if (!composed.TryGetValue(message.Flags, out var info))
                    composed[message.Flags] = info = MaildirInfo.Compose("", message.Flags, Keywords.Slots, limits.InfoSeparator);
                var name = message.UniqueName;
                var target = message.Flags.IsEmpty ? System.IO.Path.Combine(Paths.New, name) : System.IO.Path.Combine(Paths.Cur, name + info);
                Posix.Rename(delivery.PathOf(message.TemporaryName), target);
                receipts.Add(new AppendReceipt(message.Source, held.Add(name)));
            }

            held.Write();
        }

        delivery.HandOver();
        // Syncs the directories in which files got new names, and the folder's own directory if the uidlist had to be created again.
        if (messages.Any(m => !m.Flags.IsEmpty))
            Posix.SyncDirectory(Paths.Cur);
        if (messages.Any(m => m.Flags.IsEmpty))
            Posix.SyncDirectory(Paths.New);
        UidList.Sync();
        UidList.SyncName();
    }

    /// <summary>
    /// Changes the flags in a message's file name. False if the message is gone or already has the flags as far as they can be stored.
    /// </summary>
    private bool Rename(FlagChange change)
    {
        if (!Index.TryFind(change.Uid.Value, out var message))
            return false;
        var isChanged = false;
        WithCurrentName(message, (current, path) =>
        {
            var flags = current.Info.Flags.Union(change.Add).Except(change.Remove);
            var info = MaildirInfo.Compose(current.Info.Text, flags, Keywords.Slots, limits.InfoSeparator);
            isChanged = !flags.Equals(current.Info.Flags) && info != current.Info.Text;
            if (isChanged)
                File.Move(path, System.IO.Path.Combine(Paths.Cur, current.UniqueName + info), overwrite: true);
        });
        return isChanged;
    }

    private async Task<int> MoveAsync(List<MaildirMessage> messages, FolderPath trash, CancellationToken cancellationToken)
    {
        var target = find(trash);
        if (target.Directory == Paths.Directory)
            throw new ArgumentException("a folder can't be its own trash", nameof(trash));
        target.Create();
        var keywords = new MaildirKeywords(target.Directory, context.Time);
        keywords.Refresh();
        foreach (var flags in messages.Select(m => m.Info.Flags).Distinct())
            await AddKeywordsAsync(keywords, flags, cancellationToken);
        var list = new UidList(target.Directory, context.Time);
        var moved = 0;
        await using (var held = await list.HoldAsync(cancellationToken))
        {
            foreach (var message in messages)
            {
                moved += WithCurrentName(message, (current, path) =>
                {
                    var info = MaildirInfo.Compose("", current.Info.Flags, keywords.Slots, limits.InfoSeparator);
                    File.Move(path, System.IO.Path.Combine(target.Cur, current.UniqueName + info), overwrite: true);
                    held.Add(current.UniqueName);
                }) ? 1 : 0;
            }

            held.Write();
        }

        SyncDirectories(target);
        list.Sync();
        list.SyncName();
        return moved;
    }

    /// <summary>
    /// Runs an action on a message's file. Repeats the action with the new name if the file was renamed meanwhile. False if the file is
    /// gone.
    /// </summary>
    private bool WithCurrentName(MaildirMessage message, Action<MaildirMessage, string> action)
    {
        const int MaxRenames = 3;
        for (var i = 0; i < MaxRenames; i++)
        {
            var path = System.IO.Path.Combine(Paths.Directory, message.FileName);
            try
            {
                if (File.Exists(path))
                {
                    action(message, path);
                    return true;
                }
            }
            catch (FileNotFoundException)
            {
                // The file was renamed between the two calls, so the loop tries again.
            }

            Index.Refresh(force: true);
            if (!Index.TryFind(message.Uid, out message))
                return false;
        }

        return false;
    }

    private async ValueTask AddKeywordsAsync(MaildirKeywords keywords, FlagSet flags, CancellationToken cancellationToken)
    {
        var left = await keywords.AddAsync(flags, cancellationToken);
        var (odd, full) = (left.Where(k => !MaildirKeywords.CanBeWritten(k)).ToList(), left.Where(MaildirKeywords.CanBeWritten).ToList());
        if (odd.Count > 0 && !saidKeywordsAreOdd)
        {
            saidKeywordsAreOdd = true;
            context.OnNote($"{Path}: a keyword with a blank or a control character, or a very long one, can't be kept in a Maildir; left out: '{odd[0]}' and what may follow");
        }

        if (full.Count > 0 && !saidKeywordsAreFull)
        {
            saidKeywordsAreFull = true;
            context.OnNote($"{Path}: a Maildir folder has room for {MaildirKeywords.MaxKeywords} keywords; left out: {string.Join(' ', full)} and what may follow");
        }
    }

    private static void SyncDirectories(MaildirPaths paths)
    {
        Posix.SyncDirectory(paths.Cur);
        Posix.SyncDirectory(paths.New);
    }

    private static MailException WrongLength(IncomingMessage message) =>
        new(FailureScope.Message, isTransient: true, $"the body is not the {message.Length} octets that were announced");

    private async Task GuardAsync(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw LocalFiles.Failure(e, FailureScope.Folder, Path.ToString());
        }
    }
}
