using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>An IMAP folder selected on a connection of its own.</summary>
internal partial class ImapFolder(
    ConnectionPool pool,
    ImapClient client,
    FolderPath path,
    FolderStatus status,
    StoreContext context,
    string wireName,
    ReadFailures readMemory,
    bool readOnly = true)
    : IMessageFolder
{
    // The most octets of a UID set in one command. Yahoo, UW and unknown servers accept command lines of at most 1,000 octets.
    private const int MaxSetLength = 900;
    private const int MaxHeaderBytes = 1 << 20;
    private const int HeadersAtOnce = 200;

    private bool isClean = true;

    public FolderPath Path => path;

    public FolderStatus Status => status;

    public IReadOnlyDictionary<Uid, Uid> Predecessors => ImmutableDictionary<Uid, Uid>.Empty;

    public UidValidity LastingUidValidity => status.UidValidity;

    protected ImapClient Client { get; private set; } = client;

    protected string WireName => wireName;

    protected StoreContext Context => context;

    /// <summary>
    /// Replaces the connection and selects the folder again, under the same UIDVALIDITY. No command may be in flight on the old connection.
    /// </summary>
    protected async Task ReplaceConnectionAsync(CancellationToken cancellationToken)
    {
        Client = await pool.ReplaceAsync(Client, cancellationToken);
        isClean = true;
        await SelectAgainAsync(cancellationToken);
    }

    /// <summary>Selects the folder again, since some servers show a session only the folder's state at its first selection.</summary>
    protected async Task SelectAgainAsync(CancellationToken cancellationToken)
    {
        var selected = await GuardAsync(Client.SelectAsync(wireName, readOnly, cancellationToken), "selecting again");
        if (selected.Counters.UidValidity != status.UidValidity)
            throw new MailException(FailureScope.Folder, true, $"{path} was replaced by another folder meanwhile");
    }

    /// <summary>
    /// Replaces a broken connection. It is called before each new operation, so that it is no failure when the server ended the session between
    /// two operations, as many servers do after half an hour or a day.
    /// </summary>
    protected Task ReviveAsync(CancellationToken cancellationToken) => Client.IsBroken ? ReplaceConnectionAsync(cancellationToken) : Task.CompletedTask;

    public async IAsyncEnumerable<MessageInfo> ListAsync(ListRequest request, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await ReviveAsync(cancellationToken);
        var rows = await FetchListAsync(request, cancellationToken);
        if (request.WithDateAndSize)
            await FindDatesAsync(rows, cancellationToken);
        if (request.Labels is { } labels && rows.Count > 0)
            await FetchLabelsAsync(request, labels, cancellationToken);
        foreach (var row in rows)
            yield return new MessageInfo(row.Uid, row.Flags, row.InternalDate, row.Size) { SequenceNumber = row.SequenceNumber };
    }

    public Task<int> RemoveCopiedAsync(UidSet uids, CancellationToken cancellationToken) => throw new NotSupportedException("nothing is removed from this source");

    public async IAsyncEnumerable<MessageHeader> ReadHeadersAsync(UidSet uids, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await ReviveAsync(cancellationToken);
        await using var feed = new BodyFeed();
        var waiting = new Queue<UidSet>(uids.Enumerate().Chunk(HeadersAtOnce).Select(c => new UidSet(c)));
        var inFlight = 0;
        isClean = false;
        while (waiting.Count > 0 || inFlight > 0)
        {
            while (inFlight < 2 && waiting.TryDequeue(out var range))
            {
                await GuardAsync(Client.StartFetchAsync(range, "HEADER", feed, cancellationToken), "reading headers");
                inFlight++;
            }

            var item = await GuardAsync(feed.NextAsync(cancellationToken).AsTask(), "reading headers");
            if (item is RangeDone done)
            {
                inFlight--;
                if (done.Failure is not null)
                    throw ImapFailure.Translate(done.Failure, FailureScope.Folder, $"reading headers of {path}");
            }
            else if (item is FetchedBody { Length: > 0 } header && uids.Contains(header.Uid))
            {
                yield return new MessageHeader(header.Uid, await TakeAsync(new MessageBody(header.Body, path), header.Length, cancellationToken));
            }
        }

        isClean = true;
    }

    public async IAsyncEnumerable<IncomingMessage> ReadAsync(
        IEnumerable<MessageInfo> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await ReviveAsync(cancellationToken);
        isClean = false;
        var reader = new BodyReader(Client, path, status.UidValidity, messages, readMemory);
        await foreach (var message in reader.ReadAsync(cancellationToken))
            yield return message;
        isClean = reader.IsDone;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await pool.ReturnAsync(Client, isClean);
    }

    /// <summary>
    /// Awaits a command and translates its failure. After a command that the server refused, the connection can be used further; after a
    /// cancelled command it can't, since the command is still in flight.
    /// </summary>
    protected async Task<T> GuardAsync<T>(Task<T> command, string what)
    {
        try
        {
            return await command;
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw ImapFailure.Translate(e, FailureScope.Folder, $"{what} of {path}");
        }
        catch (OperationCanceledException)
        {
            isClean = false;
            throw;
        }
    }

    protected async Task GuardAsync(Task command, string what)
    {
        await GuardAsync(WithoutResult(), what);

        async Task<bool> WithoutResult()
        {
            await command;
            return true;
        }
    }

    /// <summary>
    /// Returns the beginning of a header, up to <see cref="MaxHeaderBytes"/>. The rest is read as well: a large rest that nobody reads would end the
    /// connection, and the next attempt would meet the same header.
    /// </summary>
    private static async Task<ReadOnlyMemory<byte>> TakeAsync(MessageBody header, long length, CancellationToken cancellationToken)
    {
        var octets = new ArrayBufferWriter<byte>((int)Math.Clamp(length, 1, 16 << 10));
        while (true)
        {
            var read = await header.ReadAsync(cancellationToken);
            foreach (var segment in read.Buffer)
                octets.Write(segment.Span[..Math.Min(segment.Length, MaxHeaderBytes - octets.WrittenCount)]);
            header.AdvanceTo(read.Buffer.End);
            if (read.IsCompleted)
                return octets.WrittenMemory;
        }
    }

    private async Task<List<FetchedMessage>> FetchListAsync(ListRequest request, CancellationToken cancellationToken)
    {
        var rows = new List<FetchedMessage>(request.Uids is null && request.ChangedSince is null ? (int)Math.Min(Client.Exists, 1 << 20) : 16);
        // EXISTS 0 alone is not believed: if the folder has ever assigned UIDs, only the listing proves that it is empty.
        if (Client.Exists == 0 && status.UidNext <= new Uid(1))
            return rows;
        try
        {
            foreach (var set in request.Uids?.ToWire(MaxSetLength) ?? ["1:*"])
                await GuardAsync(Client.FetchMetadataAsync(set, request.WithDateAndSize, request.ChangedSince, rows, cancellationToken), "the listing");
        }
        catch (MailException e) when (Client.Exists == 0 && rows.Count == 0 && !e.IsTransient
            && e.InnerException is ImapCommandException { Reply: { Kind: StatusKind.Bad } or { Code: null } })
        {
            // In an empty folder 1:* matches no message, and some servers answer that with BAD.
            return rows;
        }

        Order(rows);
        if (request.Uids is { } asked)
            rows.RemoveAll(r => !asked.Contains(r.Uid));
        return rows;
    }

    /// <summary>
    /// Sorts rows by UID and merges several rows of one message: the last row has the current flags; date and size come from any row that has them.
    /// </summary>
    private static void Order(List<FetchedMessage> rows)
    {
        var isOrdered = true;
        for (var i = 1; i < rows.Count && isOrdered; i++)
            isOrdered = rows[i - 1].Uid < rows[i].Uid;
        if (isOrdered)
            return;
        var sorted = rows.OrderBy(r => r.Uid).ToList();
        rows.Clear();
        foreach (var row in sorted)
        {
            if (rows.Count > 0 && rows[^1].Uid == row.Uid)
            {
                var before = rows[^1];
                rows[^1] = new FetchedMessage(
                    row.Uid, row.Flags, row.InternalDate == default ? before.InternalDate : row.InternalDate, row.Size < 0 ? before.Size : row.Size, row.SequenceNumber);
            }
            else
            {
                rows.Add(row);
            }
        }
    }

    private async Task FindDatesAsync(List<FetchedMessage> rows, CancellationToken cancellationToken)
    {
        var undated = new Dictionary<Uid, int>();
        for (var i = 0; i < rows.Count; i++)
        {
            if (rows[i].InternalDate == default)
                undated.Add(rows[i].Uid, i);
        }

        if (undated.Count == 0)
            return;
        context.OnNote($"{path}: the server has no usable date for {undated.Count} messages; the date of their header is taken");
        foreach (var at in undated.Values)
            rows[at] = rows[at] with { InternalDate = context.Time.GetUtcNow() };
        await foreach (var header in ReadHeadersAsync(new UidSet(undated.Keys), cancellationToken))
        {
            if (HeaderDate.Find(header.Octets.Span) is { } date)
                rows[undated[header.Uid]] = rows[undated[header.Uid]] with { InternalDate = date };
        }
    }
}
