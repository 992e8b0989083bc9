using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>
/// A folder open for writing. Its index is locked during each change, not between changes. The directory is read when the folder is opened, and
/// again when it changed and existing messages are needed; files that somebody put there or renamed are recorded then.
/// </summary>
internal sealed class WritableEmlFolder : EmlFolder, IWritableFolder
{
    private readonly EmlWriting writing;
    private readonly StoreContext context;
    private DateTime? scannedAt;

    private WritableEmlFolder(FolderPath path, string directory, EmlWriting writing, StoreContext context)
        : base(path, directory, context) => (this.writing, this.context) = (writing, context);

    public Uid UidNext => Index.Next;

    public static async Task<WritableEmlFolder> OpenAsync(
        FolderPath path, string directory, EmlWriting writing, StoreContext context, CancellationToken cancellationToken)
    {
        var folder = new WritableEmlFolder(path, directory, writing, context);
        await using (await DotLock.AcquireAsync(folder.Index.Path, context.Time, cancellationToken))
        {
            folder.Index.Refresh();
            if (folder.Index.IsDamaged)
                context.OnNote($"{path}: {folder.Index.Path} is damaged and is made anew: its messages are matched again by identity and get the flags that the source has");
            if (folder.Index.IsDamaged || folder.Index.Validity.IsNone)
                folder.Index.Create();
            folder.Scan();
            folder.Index.RewriteIfWorthwhile();
        }

        folder.Status = new FolderStatus(folder.Index.Validity, folder.Index.Next, folder.Index.Count);
        return folder;
    }

    public async Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken)
    {
        var receipts = new List<AppendReceipt>();
        using var delivery = LocalFiles.Guard(FailureScope.Store, writing.Display, () => new EmlDelivery(writing.TemporaryDirectory.Value, writing.Names));
        await foreach (var message in window.WithCancellation(cancellationToken))
        {
            if (message.Failure is not null)
                receipts.Add(new AppendReceipt(message.Uid, Uid.None, message.Failure));
            else if (!await delivery.TakeAsync(message, cancellationToken))
                receipts.Add(new AppendReceipt(message.Uid, Uid.None, new MailException(FailureScope.Message, isTransient: true, $"the body is not the {message.Length} octets that were announced")));
        }

        if (delivery.Written.Count > 0)
            await LocalFiles.GuardAsync(Path.ToString(), async () => await PublishAsync(delivery, receipts, cancellationToken));
        return receipts;
    }

    public Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken) => ChangeAsync(() =>
    {
        var changed = new Dictionary<Uid, FlagSet>();
        foreach (var change in changes)
        {
            if (Index.Find(change.Uid) is not (>= 0 and var at))
                continue;
            var before = changed.GetValueOrDefault(change.Uid, Index[at].Flags);
            changed[change.Uid] = before.Union(change.Add).Except(change.Remove);
        }

        var lines = Index.Begin();
        var count = 0;
        foreach (var (uid, flags) in changed.Where(c => !Index[Index.Find(c.Key)].Flags.Equals(c.Value)))
        {
            lines.AddFlags(uid, flags);
            count++;
        }

        Index.Append(lines);
        return Task.FromResult(count);
    }, cancellationToken);

    public Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        throw new NotSupportedException("this store has no labels");

    public async Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken)
    {
        if (trash is null)
            return await RemoveAsync(uids, r => Task.FromResult(r.Count(f => Delete(FileOf(f)))), cancellationToken);
        if (trash.Equals(Path))
            throw new MailException(FailureScope.Folder, isTransient: false, $"messages of {Path} cannot be moved to {trash} itself");
        await using var target = await writing.OpenAsync(trash, cancellationToken);
        return await RemoveAsync(uids, r => target.TakeInAsync(this, r, cancellationToken), cancellationToken);
    }

    protected override async Task RefreshAsync(CancellationToken cancellationToken)
    {
        if (Index.IsUnchanged && scannedAt == System.IO.Directory.GetLastWriteTimeUtc(Directory))
            return;
        await ChangeAsync(() => Task.FromResult(0), cancellationToken);
    }

    private Task<int> RemoveAsync(UidSet uids, Func<IReadOnlyList<EmlRecord>, Task<int>> remove, CancellationToken cancellationToken) => ChangeAsync(async () =>
    {
        var chosen = Chosen(uids).ToList();
        var removed = await remove(chosen);
        Posix.SyncDirectory(Directory);
        var lines = Index.Begin();
        foreach (var record in chosen)
            lines.AddRemoval(record.Uid);
        Index.Append(lines);
        return removed;
    }, cancellationToken);

    /// <summary>Runs a change of existing messages: with the lock held, and with the index as the directory is.</summary>
    private Task<int> ChangeAsync(Func<Task<int>> change, CancellationToken cancellationToken) => LocalFiles.GuardAsync(Path.ToString(), async () =>
    {
        await using var held = await HoldAsync(cancellationToken);
        if (scannedAt != System.IO.Directory.GetLastWriteTimeUtc(Directory))
            Scan();
        return await change();
    });

    private async Task<DotLock> HoldAsync(CancellationToken cancellationToken)
    {
        var validity = Index.Validity;
        var held = await DotLock.AcquireAsync(Index.Path, context.Time, cancellationToken);
        try
        {
            if (Index.Refresh())
                scannedAt = null;
            if (Index.IsDamaged || Index.Validity != validity)
                throw new MailException(FailureScope.Folder, isTransient: true, $"{Index.Path} was lost, damaged or replaced; its messages have new UIDs");
            return held;
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
    }

    /// <summary>Reads the directory and records what somebody has put there or renamed. The lock must be held.</summary>
    private void Scan()
    {
        // The date is taken before: what changes during the scan is then found by the next one.
        var date = System.IO.Directory.GetLastWriteTimeUtc(Directory);
        var leftOut = new LeftOut();
        var scan = EmlScan.Of(Directory, Index, leftOut);
        leftOut.Tell(context, writing.Display, Path);
        var lines = Index.Begin();
        foreach (var (at, name) in scan.Renamed)
            lines.Add(Index[at], name);
        var next = Index.Next.Value;
        foreach (var file in scan.Found)
            lines.Add(EmlIndex.RecordOf(file) with { Uid = Claim(ref next) }, file.Name);
        Index.Append(lines);
        Index.Keep(scan.IsThere);
        if (scan.Renamed.Count > 0)
            context.OnNote($"{Path}: {scan.Renamed.Count} {(scan.Renamed.Count == 1 ? "file has" : "files have")} another name now, {scan.Renamed[0].Name} first; the messages stay what they were");
        if (scan.Found.Count > 0)
            context.OnNote($"{Path}: {scan.Found.Count} {(scan.Found.Count == 1 ? "file was" : "files were")} put into {Directory} by somebody else, {scan.Found[0].Name} first, and count as messages from now on");
        scannedAt = date;
    }

    private async ValueTask PublishAsync(EmlDelivery delivery, List<AppendReceipt> receipts, CancellationToken cancellationToken)
    {
        await writing.Sync.SyncFilesAsync(writing.TemporaryDirectory.Value, [.. delivery.Written.Select(m => m.TemporaryPath)], cancellationToken);
        await using var held = await HoldAsync(cancellationToken);
        var lines = Index.Begin();
        var next = Index.Next.Value;
        var named = new List<(WrittenMessage Message, Uid Uid, string Name)>();
        foreach (var message in delivery.Written)
        {
            var uid = Claim(ref next);
            var name = MessageFileName.Of(message.Info.InternalDate, message.Subject, uid, IsTaken);
            lines.Add(new EmlRecord(uid, 0, message.Info.Flags, message.Info.InternalDate, message.Length, IsFound: false), name);
            named.Add((message, uid, name));
        }

        Index.Append(lines);
        foreach (var (message, uid, name) in named)
        {
            Posix.Rename(message.TemporaryPath, System.IO.Path.Combine(Directory, name));
            receipts.Add(new AppendReceipt(message.Info.Uid, uid));
        }

        delivery.HandOver();
        Posix.SyncDirectory(Directory);
    }

    /// <summary>Moves files of another folder here, with their flags and dates. Returns how many there were.</summary>
    private async Task<int> TakeInAsync(WritableEmlFolder from, IReadOnlyList<EmlRecord> records, CancellationToken cancellationToken)
    {
        await using var held = await HoldAsync(cancellationToken);
        var lines = Index.Begin();
        var next = Index.Next.Value;
        var named = new List<(string From, string To)>();
        var taken = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var record in records)
        {
            var name = MessageFileName.Free(System.IO.Path.GetFileNameWithoutExtension(from.Index.NameOf(record)), n => taken.Contains(n) || IsTaken(n));
            taken.Add(name);
            lines.Add(record with { Uid = Claim(ref next) }, name);
            named.Add((from.FileOf(record), System.IO.Path.Combine(Directory, name)));
        }

        Index.Append(lines);
        var moved = named.Count(n => Move(n.From, n.To));
        Posix.SyncDirectory(Directory);
        return moved;
    }

    private bool IsTaken(string name) => System.IO.Path.Exists(System.IO.Path.Combine(Directory, name));

    private Uid Claim(ref uint next) =>
        next == uint.MaxValue ? throw new MailException(FailureScope.Folder, isTransient: false, $"{Path}: the folder's UIDs are used up") : new Uid(next++);

    private static bool Delete(string file)
    {
        if (!File.Exists(file))
            return false;
        File.Delete(file);
        return true;
    }

    private static bool Move(string from, string to)
    {
        if (!File.Exists(from))
            return false;
        Posix.Rename(from, to);
        return true;
    }
}
