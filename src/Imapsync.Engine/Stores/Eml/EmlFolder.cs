using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>
/// A folder that has an index, opened for reading. It shows the files that existed when it was opened. It writes nothing into the
/// directory. If a file is not in the index, its UID is saved in the job's state instead.
/// </summary>
internal class EmlFolder : IMessageFolder
{
    private NameMemory? memory;
    private bool isDamaged;

    protected EmlFolder(FolderPath path, string directory, StoreContext context)
    {
        (Path, Directory) = (path, directory);
        Index = new EmlIndex(directory, context.Time);
    }

    public FolderPath Path { get; }

    public FolderStatus Status { get; protected set; }

    public UidValidity LastingUidValidity => isDamaged ? UidValidity.None : memory?.Validity ?? Index.Validity;

    public IReadOnlyDictionary<Uid, Uid> Predecessors => memory?.Predecessors ?? System.Collections.Immutable.ImmutableDictionary<Uid, Uid>.Empty;

    protected string Directory { get; }

    protected EmlIndex Index { get; }

    /// <param name="display">The store's name, as messages to people show it.</param>
    public static IMessageFolder Open(FolderPath path, string directory, StoreContext context, string display)
    {
        var folder = new EmlFolder(path, directory, context);
        var leftOut = new LeftOut();
        folder.Index.Refresh();
        folder.isDamaged = folder.Index.IsDamaged;
        if (folder.isDamaged)
            context.OnUnread(path, Reasons.Unreadable, $"{folder.Index.Path} is damaged: flags and dates of some files beside it are not known; a run that writes there makes it anew");
        folder.Settle(EmlScan.Of(directory, folder.Index, leftOut), context);
        leftOut.Tell(context, display, path);
        return folder;
    }

    public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (request.ChangedSince is not null)
            throw new ArgumentException("files have no HIGHESTMODSEQ", nameof(request));
        await RefreshAsync(cancellationToken);
        foreach (var record in Chosen(request.Uids))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!request.WithDateAndSize)
            {
                yield return new MessageInfo(record.Uid, record.Flags);
                continue;
            }

            var message = Filed(record);
            if (message.IsVerbatim && message.Date is { } date)
                yield return new MessageInfo(record.Uid, record.Flags, date, record.Size);
            else if (File.Exists(message.File))
                yield return await FiledReading.DescribeAsync(record.Uid, message, cancellationToken);
        }
    }

    public async IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        foreach (var record in Chosen(uids))
        {
            if (await FiledReading.TryReadHeaderAsync(Filed(record), cancellationToken) is { } header)
                yield return new MessageHeader(record.Uid, header);
        }
    }

    public async IAsyncEnumerable<IncomingMessage> ReadAsync(IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await RefreshAsync(cancellationToken);
        await foreach (var message in FiledReading.ReadAsync(messages, uid => Index.Find(uid) is >= 0 and var at ? Filed(Index[at]) : null, cancellationToken))
            yield return message;
    }

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is removed from this source");

    public virtual ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>Reads the index again if it has changed. A folder opened for reading keeps the state from when it was opened.</summary>
    protected virtual Task RefreshAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>Returns the records of the chosen messages in order of UID. The index may change while the caller enumerates them.</summary>
    /// <param name="uids">The chosen messages; null for all.</param>
    protected IEnumerable<EmlRecord> Chosen(UidSet? uids)
    {
        for (var next = 1u; ;)
        {
            var at = Index.Find(new Uid(next));
            at = at < 0 ? ~at : at;
            if (at >= Index.Count)
                yield break;
            var record = Index[at];
            next = record.Uid.Value + 1;
            if (uids?.Contains(record.Uid) != false)
                yield return record;
        }
    }

    protected string FileOf(in EmlRecord record) => System.IO.Path.Combine(Directory, Index.NameOf(record));

    private FiledMessage Filed(in EmlRecord record)
    {
        var file = new FileInfo(FileOf(record));
        return new FiledMessage(file.Name, file.FullName, record.Flags)
        {
            Date = record.IsFound || record.Date == default ? null : record.Date,
            // If the size differs from the recorded one, somebody has changed the file, perhaps also its line ends.
            IsVerbatim = !record.IsFound && file.Exists && file.Length == record.Size,
        };
    }

    private void Settle(EmlScan scan, StoreContext context)
    {
        foreach (var (at, name) in scan.Renamed)
            Index.Rename(at, name);
        // While the index is damaged, no UIDs are saved in the job's state: somebody may restore the index from a copy, and the files have
        // their former UIDs in it.
        memory = NameMemory.Open(Path, Directory, new UidCounters(Index.Validity, Index.Next), isDamaged ? context with { MemoryIsReadOnly = true } : context);
        // The new name of a renamed file can't be recorded here. If the file is renamed once more, it may no longer be recognised, since
        // two files may look alike. So the folder then reports no UIDVALIDITY, which means that its UIDs may not last.
        var areRenamed = scan.Renamed.Count > 0 || memory.AreRenamed(scan.Found.Select(f => (f.Name, f.FullName)));
        if (areRenamed)
            context.OnNote($"{Path}: files in {Directory} have other names since a run last wrote there; until one does, a job that reads from there matches the folder's messages again by identity");
        memory.Add([.. scan.Found.Select(f => f.Name).Where(n => !memory.Uids.ContainsName(n))]);
        memory.RenewReplaced(scan.Found.Select(f => (f.Name, f.FullName)));

        // A file has a UID in the job's state and a different one in the index if a run that wrote to the folder added the file to the
        // index later. The file keeps the UID from the job's state, since earlier runs have used that UID.
        var others = Enumerable.Range(0, Index.Count).Where(scan.IsThere).Select(at => Index[at])
            .Select(r => (Record: r, Name: Index.NameOf(r))).Where(r => memory.Uids.ContainsName(r.Name)).ToList();
        var moved = others.Select(o => o.Record.Uid).ToHashSet();
        Index.Keep(at => scan.IsThere(at) && !moved.Contains(Index[at].Uid));
        others.AddRange(scan.Found.Select(f => (EmlIndex.RecordOf(f), f.Name)));
        foreach (var (uid, (record, name)) in others.Select(o => (memory.Uids.TryGetUid(o.Name, out var uid) ? uid : 0, o)).Where(o => o.Item1 > 0).OrderBy(o => o.Item1))
            Index.AddForSession(record with { Uid = new Uid(uid) }, name);
        Status = new FolderStatus(memory.IsProvisional || isDamaged || areRenamed ? UidValidity.None : memory.Validity, new Uid(Math.Max(memory.Next, Index.Next.Value)), Index.Count);
    }
}
