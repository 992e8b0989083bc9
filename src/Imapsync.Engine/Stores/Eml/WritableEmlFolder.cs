using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>
/// A folder opened for writing. Its index is locked during each change, but not between changes. The directory is scanned when the folder is
/// opened, when another program has changed the index, and before messages are removed. Each scan records files that somebody put there or
/// renamed.
/// </summary>
internal sealed class WritableEmlFolder : EmlFolder, IWritableFolder
{
    private readonly EmlWriting writing;
    private readonly StoreContext context;

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
                context.OnNote($"{path}: {folder.Index.Path} is damaged and is made anew with what is whole in it: the folder's messages are matched again by identity");
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
        if (!Index.IsUnchanged)
            await ChangeAsync(() => Task.FromResult(0), cancellationToken);
    }

    private Task<int> RemoveAsync(UidSet uids, Func<IReadOnlyList<EmlRecord>, Task<int>> remove, CancellationToken cancellationToken) => ChangeAsync(async () =>
    {
        Scan();
        var chosen = Chosen(uids).ToList();
        var removed = await remove(chosen);
        Posix.SyncDirectory(Directory);
        var lines = Index.Begin();
        foreach (var record in chosen)
            lines.AddRemoval(record.Uid);
        Index.Append(lines);
        return removed;
    }, cancellationToken);

    /// <summary>
    /// Changes existing messages while holding the lock. If another program has changed the index, the directory is scanned first.
    /// </summary>
    private Task<int> ChangeAsync(Func<Task<int>> change, CancellationToken cancellationToken) => LocalFiles.GuardAsync(Path.ToString(), async () =>
    {
        await using var held = await HoldAsync(cancellationToken);
        return await change();
    });

    private async Task<DotLock> HoldAsync(CancellationToken cancellationToken)
    {
        var validity = Index.Validity;
        var held = await DotLock.AcquireAsync(Index.Path, context.Time, cancellationToken);
        try
        {
            var isChanged = Index.Refresh();
            if (Index.IsDamaged || Index.Validity != validity)
                throw new MailException(FailureScope.Folder, isTransient: true, $"{Index.Path} was lost, damaged or replaced; its messages have new UIDs");
            if (isChanged)
                Scan();
            return held;
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
    }

    /// <summary>Scans the directory and records files that somebody put there or renamed. The caller must hold the lock.</summary>
    private void Scan()
    {
        var leftOut = new LeftOut();
        var scan = EmlScan.Of(Directory, Index, leftOut);
        leftOut.Tell(context, writing.Display, Path);
        var lines = Index.Begin();
        foreach (var (at, name) in scan.Renamed)
            lines.Add(Index[at], name);
        // If a file has a UID in its name but is not in the index, the index may be an older one that was restored from a copy. New UIDs are
        // higher than the UIDs in names, so that no UID is given to two messages.
        var next = Math.Max(Index.Next.Value, scan.HighestNamed + 1);
        foreach (var file in scan.Found)
            lines.Add(EmlIndex.RecordOf(file) with { Uid = Claim(ref next) }, file.Name);
        Index.Append(lines);
        Index.Keep(scan.IsThere);
        if (scan.Renamed.Count > 0)
            context.OnNote($"{Path}: {scan.Renamed.Count} {(scan.Renamed.Count == 1 ? "file has" : "files have")} another name now, {scan.Renamed[0].Name} first; the messages stay what they were");
        if (scan.Found.Count > 0)
            context.OnNote($"{Path}: {scan.Found.Count} {(scan.Found.Count == 1 ? "file" : "files")} in {Directory} that its index doesn't have, {scan.Found[0].Name} first, put there by somebody or from before the index; messages from now on");
    }

    private async ValueTask PublishAsync(EmlDelivery delivery, List<AppendReceipt> receipts, CancellationToken cancellationToken)
    {
        await writing.Sync.SyncFilesAsync(writing.TemporaryDirectory.Value, [.. delivery.Written.Select(m => m.TemporaryPath)], cancellationToken);
        await using var held = await HoldAsync(cancellationToken);
        var next = Index.Next.Value;
        var arriving = new List<Arriving>();
        foreach (var message in delivery.Written)
        {
            var uid = Claim(ref next);
            var record = new EmlRecord(uid, 0, message.Info.Flags, message.Info.InternalDate, message.Length, IsFound: false);
            arriving.Add(new Arriving(message.TemporaryPath, record, MessageFileName.Stem(message.Info.InternalDate, message.Subject, uid)));
            receipts.Add(new AppendReceipt(message.Info.Uid, uid));
        }

        if (NameAll(arriving) < arriving.Count)
            throw new IOException($"files are gone from {writing.TemporaryDirectory.Value} that were written there just now");
        delivery.HandOver();
        Posix.SyncDirectory(Directory);
    }

    /// <summary>Moves files of another folder to this folder, with their flags and dates. Returns how many files were moved.</summary>
    private async Task<int> TakeInAsync(WritableEmlFolder from, IReadOnlyList<EmlRecord> records, CancellationToken cancellationToken)
    {
        await using var held = await HoldAsync(cancellationToken);
        var next = Index.Next.Value;
        var arriving = new List<Arriving>();
        foreach (var record in records)
            arriving.Add(new Arriving(from.FileOf(record), record with { Uid = Claim(ref next) }, System.IO.Path.GetFileNameWithoutExtension(from.Index.NameOf(record))));
        var moved = NameAll(arriving);
        Posix.SyncDirectory(Directory);
        return moved;
    }

    /// <summary>
    /// Records files in the index and then renames them to their final names in this directory. If a name is taken, even by a file created at
    /// this very moment, that file is kept, and the next name is recorded and tried. The caller must hold the lock.
    /// </summary>
    /// <returns>How many files were renamed. It is lower than the number given if files no longer exist.</returns>
    private int NameAll(IReadOnlyList<Arriving> arriving)
    {
        var named = 0;
        for (var number = 1; arriving.Count > 0; number++)
        {
            var taken = new List<Arriving>();
            var tried = new List<(Arriving Message, string Name)>();
            var lines = Index.Begin();
            foreach (var message in arriving)
            {
                var name = MessageFileName.Numbered(message.Stem, number);
                if (Index.FindName(name) >= 0)
                {
                    taken.Add(message);
                    continue;
                }

                lines.Add(message.Record, name);
                tried.Add((message, name));
            }

            Index.Append(lines);
            foreach (var (message, name) in tried)
            {
                switch (Posix.TryRenameNew(message.File, System.IO.Path.Combine(Directory, name)))
                {
                    case true:
                        named++;
                        break;
                    case false:
                        taken.Add(message);
                        break;
                }
            }

            arriving = taken;
        }

        return named;
    }

    private Uid Claim(ref uint next) =>
        next == uint.MaxValue ? throw new MailException(FailureScope.Folder, isTransient: false, $"{Path}: the folder's UIDs are used up") : new Uid(next++);

    private static bool Delete(string file)
    {
        if (!File.Exists(file))
            return false;
        File.Delete(file);
        return true;
    }

    /// <summary>A file that is to become a message of this folder.</summary>
    /// <param name="File">The file's present path.</param>
    /// <param name="Stem">The final name without number and extension, see <see cref="MessageFileName.Stem"/>.</param>
    private readonly record struct Arriving(string File, EmlRecord Record, string Stem);
}
