using System.Buffers;
using System.Collections.Immutable;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// A store in memory that misbehaves on request: it lists too few messages, refuses, does not answer, or fails at the n-th step. Closing
/// the store does not delete its mail.
/// </summary>
internal sealed class MemoryStore
{
    public Dictionary<FolderPath, MemoryFolderState> Folders { get; } = [];

    public bool HasModSeq { get; set; } = true;

    /// <summary>Whether the store is a backup rather than a mail account.</summary>
    public bool KeepsWhatItGets { get; set; }

    /// <summary>Header fields that mail programs add to messages of the store.</summary>
    public IReadOnlyList<string> NotedFields { get; set; } = [];

    /// <summary>
    /// Called before each operation with its name ("append") and after it ("append!"). May throw to make the operation fail.
    /// </summary>
    public Action<string> OnStep { get; set; } = _ => { };

    /// <summary>With a value above one, <see cref="OnStep"/> is called concurrently.</summary>
    public int MaxConcurrentFolders { get; set; } = 1;

    /// <summary>The names of all operations since the start, so that a test can count them.</summary>
    public List<string> Steps { get; } = [];

    /// <summary>Maps the real UID of an appended message to the UID in the store's answer.</summary>
    public Func<uint, uint> TellsUid { get; set; } = uid => uid;

    /// <summary>UIDs whose headers were read since the start.</summary>
    public List<uint> HeadersRead { get; } = [];

    /// <summary>Called with the UID of each header that is read: may throw.</summary>
    public Action<uint> OnHeader { get; set; } = _ => { };

    /// <summary>UIDs of messages whose header the store does not return.</summary>
    public HashSet<uint> WithoutHeader { get; } = [];

    /// <summary>Returns the size that listings report of a message; -1 for none.</summary>
    public Func<MemoryMessage, long> ListsSize { get; set; } = m => m.Octets.Length;

    /// <summary>Whether the store delivers a message with another length than announced, so that the run refuses the message.</summary>
    public Func<MemoryMessage, bool> Withholds { get; set; } = _ => false;

    /// <summary>The UIDVALIDITY of the next folder that is created; 0 for a store that never reports one.</summary>
    public uint NextValidity { get; set; } = 1000;

    /// <summary>Whether names that differ only in case denote one folder.</summary>
    public bool IgnoresCase { get; set; }

    /// <summary>Whether CREATE is refused for a name.</summary>
    public Func<FolderPath, bool> Refuses { get; set; } = _ => false;

    /// <summary>
    /// Whether a folder can't have children. Listings show this as \Noinferiors unless <see cref="HidesNoInferiors"/> is set.
    /// </summary>
    public Func<FolderPath, bool> IsChildless { get; set; } = _ => false;

    public bool HidesNoInferiors { get; set; }

    /// <summary>Whether a listing shows a folder. A folder that is not listed still exists.</summary>
    public Func<FolderPath, bool> IsListed { get; set; } = _ => true;

    /// <summary>Maps the name of a folder to be created to the name that the folder really gets.</summary>
    public Func<FolderPath, FolderPath> MakesAs { get; set; } = p => p;

    public Func<FolderPath, FolderPath> ListedAs { get; set; } = p => p;

    /// <summary>Whether the list of folders contains each folder's counters, as with LIST-STATUS.</summary>
    public bool ListsStatus { get; set; } = true;

    /// <summary>Whether the store answers STATUS instead of refusing it.</summary>
    public bool AnswersStatus { get; set; } = true;

    /// <summary>Makes a folder's counters readable only by opening it: the list of folders lacks them, and STATUS is refused.</summary>
    public bool RefusesStatus
    {
        set => ListsStatus = AnswersStatus = !value;
    }

    public MemoryFolderState Folder(string path)
    {
        var key = FolderPath.Parse(path);
        if (!Folders.TryGetValue(key, out var state))
            Folders[key] = state = new MemoryFolderState(NextValidity == 0 ? 0 : NextValidity++);
        return state;
    }

    public ITargetStore Open() => new OpenStore(this);

    internal bool IsSame(FolderPath a, FolderPath b) =>
        a.ToString().Equals(b.ToString(), IgnoresCase ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal);

    internal void Step(string name)
    {
        lock (Steps)
            Steps.Add(name);
        OnStep(name);
    }

    private sealed class OpenStore(MemoryStore store) : ITargetStore
    {
        public StoreTraits Traits => new("memory:", store.HasModSeq, store.MaxConcurrentFolders) { KeepsWhatItGets = store.KeepsWhatItGets, NotedFields = store.NotedFields };

        public Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken)
        {
            store.Step("list");
            return Task.FromResult<IReadOnlyList<FolderEntry>>([.. store.Folders.Where(f => store.IsListed(f.Key)).Select(f =>
                new FolderEntry(f.Key, Status: store.ListsStatus ? f.Value.ListedStatus(store.HasModSeq) : null, Subscribed: f.Value.Subscribed, MailboxId: f.Value.MailboxId)
                {
                    HoldsFolders = store.HidesNoInferiors || !store.IsChildless(f.Key),
                })]);
        }

        public Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken) =>
            !store.AnswersStatus
                ? Task.FromException<FolderStatus>(new MailException(FailureScope.Folder, false, $"the status of {path}: NO not now"))
                : Task.FromResult(Find(path).ListedStatus(store.HasModSeq));

        public IAccessControl? AccessControl => null;

        public Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) =>
            StatusAnswers.UidCountersAsync(this, path, cancellationToken);

        public Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken) => Task.FromResult<string?>(null);

        public Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken) => StatusAnswers.ExistsAsync(this, path, cancellationToken);

        public Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

        public Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken)
        {
            store.Step("open " + path);
            return Task.FromResult<IMessageFolder>(new MemoryFolder(store, path, Find(path)));
        }

        public Task<IWritableFolder> OpenForWritingAsync(FolderPath path, CancellationToken cancellationToken)
        {
            store.Step("open " + path);
            return Task.FromResult<IWritableFolder>(new MemoryFolder(store, path, Find(path)));
        }

        public Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken)
        {
            store.Step("create " + path);
            if (store.Refuses(path) || (path.Parent is { } parent && store.IsChildless(parent)))
                throw new MailException(FailureScope.Folder, false, $"cannot create {path}: NO invalid name");
            path = store.MakesAs(path);
            if (!store.Folders.Keys.Any(p => store.IsSame(p, path)))
                store.Folder(path.ToString());
            return Task.CompletedTask;
        }

        public Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken)
        {
            store.Step($"rename {from} {to}");
            foreach (var path in store.Folders.Keys.Where(p => p.IsAtOrBelow(from)).ToList())
            {
                store.Folders.Remove(path, out var state);
                store.Folders[new FolderPath(to.Levels.Concat(path.Levels.Skip(from.Levels.Length)))] = state!;
            }

            return Task.CompletedTask;
        }

        public Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken)
        {
            Find(path).Subscribed = subscribed;
            return Task.CompletedTask;
        }

        public async Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken)
        {
            foreach (var (path, subscribed) in wanted)
                await SetSubscribedAsync(path, subscribed, cancellationToken);
        }

        public Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken) =>
            Task.FromResult<IReadOnlyList<StoreFact>>([]);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        public FolderPath ListedAs(FolderPath path) => store.ListedAs(path);

        private MemoryFolderState Find(FolderPath path) => store.Folders.FirstOrDefault(f => store.IsSame(f.Key, path)) is { Value: { } state }
            ? state
            : throw new MailException(FailureScope.Folder, false, $"no folder {path}") { Kind = FailureKind.Gone };
    }
}

internal sealed record MemoryMessage(uint Uid, byte[] Octets, FlagSet Flags, DateTimeOffset Date, ulong ModSeq);

internal sealed class MemoryFolderState(uint validity)
{
    private ulong modSeq = 1;

    public uint Validity { get; set; } = validity;

    public uint UidNext { get; set; } = 1;

    public bool Subscribed { get; set; }

    public string? MailboxId { get; set; }

    public bool TellsUidNext { get; set; } = true;

    /// <summary>Whether opening the folder reports its UIDNEXT. STATUS may report it even if opening does not.</summary>
    public bool OpensWithUidNext { get; set; } = true;

    /// <summary>The UIDNEXT that the store reports; null for the true one.</summary>
    public uint? ToldUidNext { get; set; }

    /// <summary>Whether STATUS reports the number of messages.</summary>
    public bool TellsCount { get; set; } = true;

    /// <summary>Whether the opened folder shows no message, whatever its status reports.</summary>
    public bool OpensEmpty { get; set; }

    /// <summary>Whether a listing leaves out the message with a UID, though the folder counts it.</summary>
    public Func<ListRequest, uint, bool> Omits { get; set; } = (_, _) => false;

    /// <summary>How many messages the folder claims to have beyond those it lists.</summary>
    public int Hidden { get; set; }

    public List<MemoryMessage> Messages { get; } = [];

    public uint Add(string text, string flags = "", DateTimeOffset? date = null) =>
        Add(System.Text.Encoding.Latin1.GetBytes(text), FlagSet.Parse(flags.Split(' ', StringSplitOptions.RemoveEmptyEntries)), date ?? Day(1));

    public uint Add(byte[] octets, FlagSet flags, DateTimeOffset date)
    {
        Messages.Add(new MemoryMessage(UidNext, octets, flags, date, ++modSeq));
        return UidNext++;
    }

    public void SetFlags(uint uid, string flags) => SetFlags(uid, _ => FlagSet.Parse(flags.Split(' ', StringSplitOptions.RemoveEmptyEntries)));

    public void SetFlags(uint uid, Func<FlagSet, FlagSet> change)
    {
        var at = Messages.FindIndex(m => m.Uid == uid);
        if (at >= 0)
            Messages[at] = Messages[at] with { Flags = change(Messages[at].Flags), ModSeq = ++modSeq };
    }

    public void Remove(uint uid)
    {
        Messages.RemoveAll(m => m.Uid == uid);
        modSeq++;
    }

    /// <summary>Copies the folder. The returned action restores that copy, including the counters.</summary>
    public Action BackUp()
    {
        var (next, sequence, messages) = (UidNext, modSeq, Messages.ToList());
        return () =>
        {
            (UidNext, modSeq) = (next, sequence);
            Messages.Clear();
            Messages.AddRange(messages);
        };
    }

    /// <summary>Restarts the MODSEQs, as after the loss of an index; UIDs stay.</summary>
    public void ForgetModSeqs()
    {
        for (var i = 0; i < Messages.Count; i++)
            Messages[i] = Messages[i] with { ModSeq = 1 };
        modSeq = 2;
    }

    /// <summary>Gives all messages new UIDs, as after the loss of an index.</summary>
    public void Renumber(uint newValidity)
    {
        var old = Messages.ToList();
        Messages.Clear();
        Validity = newValidity;
        UidNext = 1;
        old.Reverse();
        foreach (var message in old)
            Add(message.Octets, message.Flags, message.Date);
    }

    public FolderStatus Status(bool withModSeq) => new(
        new UidValidity(Validity), TellsUidNext ? new Uid(ToldUidNext ?? UidNext) : Uid.None, Messages.Count + Hidden,
        Messages.Count(m => !m.Flags.System.HasFlag(MessageFlags.Seen)), withModSeq ? new ModSeq(modSeq) : null);

    /// <summary>The status that the folder reports when it is opened.</summary>
    public FolderStatus OpenedStatus(bool withModSeq)
    {
        var status = Status(withModSeq);
        return status with { Messages = OpensEmpty ? 0 : status.Messages, UidNext = OpensWithUidNext ? status.UidNext : Uid.None };
    }

    /// <summary>
    /// A wrong number of messages for STATUS and the list of folders, which then report no unseen messages; null for the true numbers.
    /// </summary>
    public int? WrongCount { get; set; }

    /// <summary>The status that STATUS and the list of folders report for this folder.</summary>
    public FolderStatus ListedStatus(bool withModSeq) => WrongCount is { } count ? Status(withModSeq) with { Messages = count, Unseen = 0 }
        : TellsCount ? Status(withModSeq)
        : Status(withModSeq) with { Messages = 0, IsCountUnknown = true };

    public static DateTimeOffset Day(int day) => new DateTimeOffset(2025, 1, 1, 10, 0, 0, TimeSpan.FromHours(1)).AddDays(day);
}

internal sealed class MemoryFolder(MemoryStore store, FolderPath path, MemoryFolderState state) : IWritableFolder
{
    public FolderPath Path => path;

    public FolderStatus Status { get; } = state.OpenedStatus(store.HasModSeq);

    public IReadOnlyDictionary<Uid, Uid> Predecessors => ImmutableDictionary<Uid, Uid>.Empty;

    public UidValidity LastingUidValidity => Status.UidValidity;

    public Uid UidNext => new(state.ToldUidNext ?? state.UidNext);

    public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        store.Step("listing " + path);
        foreach (var (at, m) in (state.OpensEmpty ? [] : state.Messages.ToList()).Index())
        {
            if (request.Uids?.Contains(new Uid(m.Uid)) == false || (request.ChangedSince is { } since && m.ModSeq <= since.Value) || state.Omits(request, m.Uid))
                continue;
            yield return (request.WithDateAndSize ? Info(m) : new MessageInfo(new Uid(m.Uid), m.Flags)) with { SequenceNumber = (uint)at + 1 };
        }
    }

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is removed from this source");

    public async IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        store.Step("headers " + path);
        foreach (var m in state.Messages.Where(m => uids.Contains(new Uid(m.Uid)) && !store.WithoutHeader.Contains(m.Uid)).ToList())
        {
            lock (store.Steps)
                store.HeadersRead.Add(m.Uid);
            store.OnHeader(m.Uid);
            var end = m.Octets.AsSpan().IndexOf("\r\n\r\n"u8);
            yield return new MessageHeader(new Uid(m.Uid), m.Octets.AsMemory(0, end < 0 ? m.Octets.Length : end + 4));
        }
    }

    public async IAsyncEnumerable<IncomingMessage> ReadAsync(
        IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var wanted in messages)
        {
            await Task.Yield();
            MailException? failure = null;
            try
            {
                store.Step("read");
            }
            catch (MailException e) when (e.Scope == FailureScope.Message)
            {
                failure = e;
            }

            if (state.Messages.Find(m => m.Uid == wanted.Uid.Value) is not { } m)
                continue;
            if (store.Withholds(m))
                failure = new MailException(FailureScope.Message, false, "unreadable");
            yield return failure is null
                ? new IncomingMessage(wanted, m.Octets.Length, PipeReader.Create(new ReadOnlySequence<byte>(m.Octets)))
                : new IncomingMessage(store.Withholds(m) ? wanted with { Size = m.Octets.Length } : wanted, failure);
        }
    }

    public async Task<IReadOnlyList<AppendReceipt>> AppendAsync(IAsyncEnumerable<IncomingMessage> window, CancellationToken cancellationToken)
    {
        var receipts = new List<AppendReceipt>();
        await foreach (var message in window.WithCancellation(cancellationToken))
        {
            var octets = await ReadAllAsync(message.Body, cancellationToken);
            try
            {
                store.Step("append");
            }
            catch (MailException e) when (e.Scope == FailureScope.Message)
            {
                receipts.Add(new AppendReceipt(message.Uid, Uid.None, e));
                continue;
            }

            receipts.Add(new AppendReceipt(message.Uid, new Uid(store.TellsUid(state.Add(octets, message.Info.Flags, message.Info.InternalDate)))));
            store.Step("append!");
        }

        return receipts;
    }

    public Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken)
    {
        store.Step("flags");
        var changed = changes.Count(c => state.Messages.Exists(m => m.Uid == c.Uid.Value && !m.Flags.Union(c.Add).Except(c.Remove).Equals(m.Flags)));
        foreach (var change in changes)
            state.SetFlags(change.Uid.Value, f => f.Union(change.Add).Except(change.Remove));
        store.Step("flags!");
        return Task.FromResult(changed);
    }

    public Task SetLabelsAsync(UidSet uids, bool add, IReadOnlyList<string> labels, CancellationToken cancellationToken) =>
        throw new NotSupportedException("this store has no labels");

    public Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken)
    {
        store.Step("remove");
        var gone = state.Messages.Where(m => uids.Contains(new Uid(m.Uid))).ToList();
        if (trash is not null)
        {
            foreach (var m in gone)
                store.Folders[trash].Add(m.Octets, m.Flags, m.Date);
            store.Step("kept!");
        }

        foreach (var m in gone)
            state.Remove(m.Uid);
        store.Step("remove!");
        return Task.FromResult(gone.Count);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private MessageInfo Info(MemoryMessage m) => new(new Uid(m.Uid), m.Flags, m.Date, store.ListsSize(m));

    private static async Task<byte[]> ReadAllAsync(PipeReader body, CancellationToken cancellationToken)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellationToken);
            if (read.IsCompleted)
            {
                var octets = read.Buffer.ToArray();
                body.AdvanceTo(read.Buffer.End);
                return octets;
            }

            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }
}
