using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// An mbox open for writing. It is locked only during each change, so that mail can be delivered in between. Other programs' changes are
/// noticed at the next change, by the file's length and time.
/// </summary>
internal sealed class MboxWritableFolder : MboxFolder, IWritableFolder
{
    private readonly MboxFile mbox;
    private readonly StoreContext context;
    private readonly Func<FolderPath, CancellationToken, Task<IWritableFolder>> openTrash;

    private MboxWritableFolder(
        FolderPath path, MboxFile mbox, MboxState state, StoreContext context, Func<FolderPath, CancellationToken, Task<IWritableFolder>> openTrash)
        : base(path, Open(mbox.Path), state)
    {
        (this.mbox, this.context, this.openTrash) = (mbox, context, openTrash);
    }

    public Uid UidNext => State.UidNext;

    public static async Task<MboxWritableFolder> OpenAsync(
        FolderPath path, string file, StoreContext context, Func<FolderPath, CancellationToken, Task<IWritableFolder>> openTrash, CancellationToken cancellationToken)
    {
        var opened = new MboxFile(file, path, context);
        await using var held = await opened.LockAsync(cancellationToken);
        if (MboxInput.EndsLinesInCr(held.Mbox.SafeFileHandle))
            throw new MailException(FailureScope.Folder, isTransient: false, $"{file} has lines that end in CR alone: such an mbox is read and not written; turn them into LF");
        var state = await opened.SettleAsync(held, cancellationToken);
        return new MboxWritableFolder(path, opened, state, context, openTrash);
    }

    public async Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken)
    {
        await using var held = await LockAsync(cancellationToken);
        using var append = new MboxAppend(mbox, held, State, context);
        try
        {
            await foreach (var message in window.WithCancellation(cancellationToken))
                await append.TakeAsync(message, cancellationToken);
            State = await append.CommitAsync(cancellationToken);
            return append.Receipts;
        }
        catch
        {
            State = await append.AbortAsync();
            throw;
        }
    }

    public async Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken)
    {
        await using var held = await LockAsync(cancellationToken);
        var edited = new Dictionary<Uid, FlagSet>();
        foreach (var change in changes)
        {
            var at = State.IndexOf(change.Uid);
            if (at < 0)
                continue;
            var before = edited.GetValueOrDefault(change.Uid, State.Records[at].Flags);
            edited[change.Uid] = before.Except(change.Remove).Union(change.Add);
        }

        var changed = edited.Count(e => !State.Records[State.IndexOf(e.Key)].Flags.Equals(e.Value));
        if (changed > 0)
            await RewriteAsync(held, r => edited.TryGetValue(r.Uid, out var flags) ? r with { Flags = flags } : r, cancellationToken);
        return changed;
    }

    public Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        throw new NotSupportedException("this store has no labels");

    public async Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken)
    {
        if (trash is not null)
            await CopyToAsync(trash, uids, cancellationToken);
        await using var held = await LockAsync(cancellationToken);
        var removed = State.Records.Count(r => uids.Contains(r.Uid));
        if (removed > 0)
            await RewriteAsync(held, r => uids.Contains(r.Uid) ? null : r, cancellationToken);
        return removed;
    }

    private async Task CopyToAsync(FolderPath trash, UidSet uids, CancellationToken cancellationToken)
    {
        if (trash.Equals(Path))
            throw new MailException(FailureScope.Folder, isTransient: false, $"messages of {Path} cannot be moved to {trash} itself");
        var leaving = new List<MessageInfo>();
        await foreach (var info in ListAsync(new ListRequest(uids, WithDateAndSize: true), cancellationToken))
            leaving.Add(info);
        if (leaving.Count == 0)
            return;
        await using var target = await openTrash(trash, cancellationToken);
        var receipts = await target.AppendAsync(ReadAsync(leaving, cancellationToken), cancellationToken);
        if (receipts.FirstOrDefault(r => !r.IsAccepted).Failure is { } failure)
            throw new MailException(FailureScope.Folder, failure.IsTransient, $"nothing was removed from {Path}: {failure.Message}", failure);
        if (receipts.Count != leaving.Count)
            throw new MailException(FailureScope.Folder, isTransient: true, $"nothing was removed from {Path}: not every message could be moved");
    }

    private async Task<MboxLock> LockAsync(CancellationToken cancellationToken)
    {
        var held = await LocalFiles.GuardAsync(mbox.Path, () => mbox.LockAsync(cancellationToken));
        try
        {
            // The length and time show whether another program changed the mbox. Even if none did, its index file may be missing.
            if (MboxStamp.Of(held.Mbox.SafeFileHandle) != State.Stamp || !File.Exists(mbox.IndexPath))
            {
                var validity = State.Validity;
                State = await LocalFiles.GuardAsync(mbox.Path, () => mbox.SettleAsync(held, cancellationToken));
                Reopen(mbox.Path);
                if (validity != State.Validity)
                    throw new MailException(FailureScope.Folder, isTransient: true, $"the index of {mbox.Path} was lost or replaced; its messages have new UIDs");
            }

            return held;
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
    }

    private Task<bool> RewriteAsync(MboxLock held, Func<MboxRecord, MboxRecord?> edit, CancellationToken cancellationToken) =>
        LocalFiles.GuardAsync(mbox.Path, async () =>
        {
            var temporary = mbox.Path + FileNames.NewSuffix;
            var (records, stamp) = await LocalFiles.WriteBesideAsync(temporary, async target =>
            {
                using var rewriter = new MboxRewriter(held.Mbox.SafeFileHandle, target);
                mbox.KeepMode(temporary);
                return (await rewriter.WriteAsync(State.Records, edit, cancellationToken), MboxStamp.Of(target));
            });

            // If the process stops before the index is saved, the old index still recognises the new file's messages by their digests.
            await held.ReplaceAsync(temporary);
            State = State with { Records = records, Stamp = stamp };
            await MboxIndex.SaveAsync(mbox.IndexPath, State, cancellationToken);
            Reopen(mbox.Path);
            return true;
        });
}
