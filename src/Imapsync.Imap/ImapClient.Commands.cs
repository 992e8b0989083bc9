using Imapsync.Imap.Commands;

namespace Imapsync.Imap;

public sealed partial class ImapClient
{
    public async Task NoopAsync(CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new NoopCommand(), cancellationToken);

    /// <summary>Compresses everything from here on, in both directions.</summary>
    public async Task CompressAsync(CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new CompressCommand(), cancellationToken);

    public async Task EnableAsync(string extension, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new EnableCommand(extension), cancellationToken);

    public async Task<IReadOnlyList<ImapNamespace>> NamespaceAsync(CancellationToken cancellationToken)
    {
        var command = new NamespaceCommand();
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Namespaces;
    }

    /// <summary>LIST in its plain form.</summary>
    public Task<IReadOnlyCollection<ListedFolder>> ListAsync(string reference, string pattern, CancellationToken cancellationToken) =>
        ListAsync(ListForm.Plain, reference, pattern, cancellationToken);

    /// <summary>LIST with subscriptions, special use and, where LIST-STATUS is offered, counters; only where LIST-EXTENDED is offered.</summary>
    public Task<IReadOnlyCollection<ListedFolder>> ListExtendedAsync(string reference, string pattern, CancellationToken cancellationToken) =>
        ListAsync(ListForm.Extended, reference, pattern, cancellationToken);

    public Task<IReadOnlyCollection<ListedFolder>> XListAsync(string reference, string pattern, CancellationToken cancellationToken) =>
        ListAsync(ListForm.XList, reference, pattern, cancellationToken);

    /// <summary>LSUB: the subscribed names, some of which may not exist.</summary>
    public Task<IReadOnlyCollection<ListedFolder>> ListSubscribedAsync(string reference, string pattern, CancellationToken cancellationToken) =>
        ListAsync(ListForm.Subscribed, reference, pattern, cancellationToken);

    /// <summary>STATUS; null when the server answered OK and told nothing.</summary>
    public async Task<FolderCounters?> StatusAsync(string wireName, CancellationToken cancellationToken)
    {
        var command = new StatusCommand(wireName, Capabilities);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Result;
    }

    /// <summary>EXAMINE or SELECT, with CONDSTORE where offered.</summary>
    public async Task<SelectedFolder> SelectAsync(string wireName, bool readOnly, CancellationToken cancellationToken)
    {
        var command = new SelectCommand(wireName, readOnly, Capabilities.HasCondStore, options.Limits);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Result;
    }

    /// <summary>
    /// Flags of messages, with date and size where wanted, in the order the server sent them; a message may come twice,
    /// the later flags count.
    /// </summary>
    /// <param name="set">A sequence set of UIDs, e.g. <c>1:*</c>.</param>
    /// <param name="rows">Where they are added to.</param>
    public async Task FetchMetadataAsync(
        string set, bool withDateAndSize, ModSeq? changedSince, List<FetchedMessage> rows, CancellationToken cancellationToken)
    {
        var command = new FetchMetadataCommand(set, withDateAndSize, changedSince, rows, MaxRows, options.Limits);
        await connection.ExecuteAsync(command, cancellationToken);
    }

    /// <summary>
    /// Asks for bodies. Returns once the command is queued; the bodies and at last a <see cref="RangeDone"/> come by the feed.
    /// Several may be under way with one feed.
    /// </summary>
    /// <param name="section">Empty for the whole message, HEADER for its header.</param>
    public async Task StartFetchAsync(UidSet range, string section, BodyFeed feed, CancellationToken cancellationToken) =>
        await connection.SendAsync(new FetchBodiesCommand(range, section, feed, options.Limits), cancellationToken);

    /// <param name="use">A special-use attribute such as <c>\Sent</c>, only where CREATE-SPECIAL-USE is offered.</param>
    public async Task CreateAsync(string wireName, string? use, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new CreateCommand(wireName, use), cancellationToken);

    public async Task SubscribeAsync(string wireName, bool subscribe, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new SubscribeCommand(wireName, subscribe), cancellationToken);

    /// <summary>
    /// Appends a window with one command; of more than one message only where MULTIAPPEND is offered. A refusal is a result,
    /// not an exception. An exception of the window or of a body passes through as it is and ends the connection.
    /// </summary>
    public async Task<AppendResult> AppendAsync(string wireName, IAsyncEnumerable<OutgoingMessage> window, CancellationToken cancellationToken)
    {
        var command = new AppendCommand(wireName, window);
        return command.ToResult(await connection.SettleAsync(command, cancellationToken));
    }

    /// <summary>Appends one message and returns when its octets are written, so that the next one can follow.</summary>
    public async ValueTask<StartedAppend> StartAppendAsync(string wireName, OutgoingMessage message, CancellationToken cancellationToken)
    {
        var command = new AppendCommand(wireName, message);
        await connection.StartAsync(command, cancellationToken);
        return new StartedAppend(command);
    }

    /// <summary>What came of a message that was appended.</summary>
    public async ValueTask<AppendResult> FinishAppendAsync(StartedAppend append, CancellationToken cancellationToken) =>
        append.Command.ToResult(await connection.AnswerAsync(append.Command, cancellationToken));

    /// <param name="set">Ascending UIDs as they go on the wire.</param>
    public async Task StoreAsync(string set, bool add, FlagSet flags, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new StoreCommand(set, add, flags), cancellationToken);

    /// <param name="move">UID MOVE, only where offered; else UID COPY.</param>
    public async Task CopyAsync(string set, string targetWireName, bool move, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new CopyCommand(set, targetWireName, move), cancellationToken);

    /// <summary>UID EXPUNGE; only where UIDPLUS is offered.</summary>
    public async Task ExpungeAsync(string set, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new ExpungeCommand(set), cancellationToken);

    public async Task<IReadOnlyList<QuotaResource>> QuotaAsync(string wireName, CancellationToken cancellationToken)
    {
        var command = new QuotaCommand(wireName);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Resources;
    }

    public async Task RenameAsync(string wireName, string newWireName, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new RenameCommand(wireName, newWireName), cancellationToken);

    /// <summary>More than this and the server is making messages up.</summary>
    private long MaxRows() => Math.Min((connection.Exists * 2) + 10_000, options.Limits.MaxMessages);

    private async Task<IReadOnlyCollection<ListedFolder>> ListAsync(
        ListForm form, string reference, string pattern, CancellationToken cancellationToken)
    {
        var command = new ListCommand(form, reference, pattern, Capabilities, options.Limits);
        await connection.ExecuteAsync(command, cancellationToken);
        return command.Folders;
    }
}
