using System.Collections.Concurrent;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>An IMAP account.</summary>
public sealed partial class ImapStore : ITargetStore
{
    /// <summary>
    /// How many commands may be queued on one connection. Up to <see cref="ImapLimits.MaxInFlight"/> of them are sent before the first is
    /// answered.
    /// </summary>
    private const int MaxQuestions = 32;

    private readonly ImapEndpoint endpoint;
    private readonly StoreContext context;
    private readonly Func<CancellationToken, ValueTask<Stream>>? dial;
    private readonly ConnectionPool pool;
    private readonly SemaphoreSlim namesGate = new(1);
    private readonly ConcurrentDictionary<FolderPath, AppendHistory> memories = new();
    private readonly ConcurrentDictionary<FolderPath, ReadFailures> readMemories = new();
    private readonly BodySizes sizes = new();
    private FolderNames? names;
    private bool isListed;

    private ImapStore(ImapEndpoint endpoint, StoreContext context, Func<CancellationToken, ValueTask<Stream>>? dial)
    {
        this.dial = dial;
        this.endpoint = endpoint;
        this.context = context;
        pool = new ConnectionPool(ConnectAsync, endpoint.Connections, context.Time, note => context.OnNote($"{endpoint.Display}: {note}"), context.Share);
        Traits = new StoreTraits(endpoint.Display, false, endpoint.Connections) { MaxReaders = endpoint.Connections, MaxConcurrentQuestions = MaxQuestions };
    }

    public StoreTraits Traits { get; private set; }

    /// <summary>Connects and logs in once, so that a wrong password is reported here.</summary>
    public static Task<ITargetStore> OpenAsync(ImapEndpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        OpenAsync(endpoint, context, null, cancellationToken);

    /// <param name="dial">Makes network connections instead of TCP.</param>
    internal static async Task<ITargetStore> OpenAsync(
        ImapEndpoint endpoint, StoreContext context, Func<CancellationToken, ValueTask<Stream>>? dial, CancellationToken cancellationToken)
    {
        var store = new ImapStore(endpoint, context, dial);
        try
        {
            var offered = await store.pool.RunAsync(c => Task.FromResult(c.Capabilities), cancellationToken);
            store.Traits = store.Traits with { StatusShowsFlagChanges = offered.HasCondStore, HasLabels = offered.HasGmail };
            store.LearnAcl(offered);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    public async Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var wire = await WireNameAsync(path, cancellationToken);
        var counters = await RunAsync(c => c.StatusAsync(wire, cancellationToken), FailureScope.Folder, $"the status of {path}", cancellationToken);
        return ToStatus(counters) ?? throw new MailException(FailureScope.Folder, false, $"the server does not tell the status of {path}");
    }

    public Task<UidCounters> GetUidCountersAsync(FolderPath path, CancellationToken cancellationToken) =>
        StatusAnswers.UidCountersAsync(this, path, cancellationToken);

    public async Task<bool> ExistsAsync(FolderPath path, CancellationToken cancellationToken)
    {
        var wire = await FindWireNameAsync(path, cancellationToken) ?? names!.Make(path);
        try
        {
            await RunAsync(c => c.StatusAsync(wire, cancellationToken), FailureScope.Folder, $"the status of {path}", cancellationToken);
            return true;
        }
        catch (MailException e) when (e.Kind == FailureKind.Gone
            || e is { Scope: FailureScope.Folder, IsTransient: false, InnerException: ImapCommandException { Reply: { Kind: StatusKind.No, Code: null } } })
        {
            // LIST does not show the folder, and the server refused STATUS without a response code, which would have named another reason.
            // So the folder does not exist.
            return false;
        }
    }

    public async Task<string?> WhyNeverAsync(FolderPath path, CancellationToken cancellationToken)
    {
        // Servers do not announce this limit; they only refuse to create a folder with a longer name.
        const int mostOctets = 255;
        var wire = await FindWireNameAsync(path, cancellationToken) ?? names!.Make(path);
        if (wire.Length > mostOctets)
            return $"its name has {wire.Length} octets there, and a server that keeps a folder as a directory takes {mostOctets}";
        try
        {
            await RunAsync(c => c.StatusAsync(wire, cancellationToken), FailureScope.Folder, $"the status of {path}", cancellationToken);
            return null;
        }
        catch (MailException e) when (e is { Scope: FailureScope.Folder, InnerException: ImapCommandException { Reply: { Kind: StatusKind.No } } })
        {
            // CANNOT means that the folder can never be created (RFC 5530). Servers refuse STATUS of a folder that does not exist yet in many other words.
            var reply = ((ImapCommandException)e.InnerException).Reply;
            return reply.Has(ResponseCodeKind.Cannot) ? reply.ToString() : null;
        }
    }

    public Task<IMessageFolder> OpenAgainAsync(FolderPath path, CancellationToken cancellationToken) => OpenAsync(path, cancellationToken);

    public async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) =>
        await SelectAsync(
            path,
            readOnly: true,
            (client, selected, wire) => new ImapFolder(pool, client, path, ToOpenStatus(selected), context, wire, ReadMemoryOf(path)),
            cancellationToken);

    private ReadFailures ReadMemoryOf(FolderPath path) => readMemories.GetOrAdd(path, _ => new ReadFailures(sizes));

    public FolderPath ListedAs(FolderPath path) => names?.ListedAs(path) ?? path;

    public async Task CreateFolderAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken)
    {
        if (await FindWireNameAsync(path, cancellationToken) is not null && !names!.IsContainer(path))
            return;
        try
        {
            await CreateAloneAsync(path, special, cancellationToken);
        }
        catch (MailException e) when (e is { Scope: FailureScope.Folder, IsTransient: false } && path.Parent is { } parent && names!.Find(parent) is null)
        {
            // Servers create missing parent folders themselves, as names that hold no mail where possible (RFC 9051 §6.3.4), but not
            // all do, so the parent is created here.
            await CreateFolderAsync(parent, SpecialFolder.None, cancellationToken);
            await CreateAloneAsync(path, special, cancellationToken);
        }
    }

    private async Task CreateAloneAsync(FolderPath path, SpecialFolder special, CancellationToken cancellationToken)
    {
        var wire = names!.Make(path);
        await RunAsync(c => Done(CreateAsync(c, wire, SpecialUse.AttributeOf(special), cancellationToken)), FailureScope.Folder, $"cannot create {path}", cancellationToken);
        await namesGate.WaitAsync(cancellationToken);
        names.Made(path, wire);
        namesGate.Release();
    }

    private static async Task CreateAsync(ImapClient client, string wire, string? use, CancellationToken cancellationToken)
    {
        try
        {
            if (use is not null && client.Capabilities.HasCreateSpecialUse)
            {
                try
                {
                    await client.CreateAsync(wire, use, cancellationToken);
                    return;
                }
                catch (ImapCommandException e) when (!IsThereAlready(e.Reply))
                {
                    // [USEATTR] and similar codes: the special use is taken or can't be assigned (RFC 6154 §3). The folder
                    // matters more, so it is created without the use.
                }
            }

            await client.CreateAsync(wire, null, cancellationToken);
        }
        catch (ImapCommandException e) when (IsThereAlready(e.Reply))
        {
            // The folder exists already: another client has created it, LIST did not show it, or the server treats another folder's name as
            // the same. The next listing shows the folder's name.
        }
    }

    public async Task RenameFolderAsync(FolderPath from, FolderPath to, CancellationToken cancellationToken)
    {
        var wire = await WireNameAsync(from, cancellationToken);
        // The parent folder only has to exist; it need not be able to hold messages.
        if (to.Parent is { } parent && names!.Find(parent) is null)
            await CreateFolderAsync(parent, SpecialFolder.None, cancellationToken);
        var target = names!.Make(to);
        await RunAsync(c => Done(c.RenameAsync(wire, target, cancellationToken)), FailureScope.Folder, $"cannot rename {from} to {to}", cancellationToken);
        names.Forget();
        isListed = false;
    }

    public async Task SetSubscribedAsync(FolderPath path, bool subscribed, CancellationToken cancellationToken)
    {
        var wire = await WireNameAsync(path, cancellationToken);
        await RunAsync(
            c => Done(c.SubscribeAsync(wire, subscribed, cancellationToken)), FailureScope.Folder, $"cannot change the subscription of {path}", cancellationToken);
    }

    public async Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken)
    {
        foreach (var (path, subscribed) in wanted)
            await SetSubscribedAsync(path, subscribed, cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await pool.DisposeAsync();
        namesGate.Dispose();
    }

    private static bool IsThereAlready(StatusReply reply) =>
        reply.Has(ResponseCodeKind.AlreadyExists) || reply.Text.Contains("exists", StringComparison.OrdinalIgnoreCase);

    private static async Task<bool> Done(Task command)
    {
        await command;
        return true;
    }

    private static FolderStatus? ToStatus(FolderCounters? counters) =>
        counters is null
            ? null
            : new FolderStatus(counters.UidValidity, counters.UidNext, counters.Messages, counters.Unseen, counters.HighestModSeq) { IsCountUnknown = !counters.TellsMessages };

    private static FolderStatus ToOpenStatus(SelectedFolder selected)
    {
        var c = selected.Counters;
        return new FolderStatus(c.UidValidity, c.UidNext, c.Messages, null, c.HighestModSeq);
    }

    private async Task<T> SelectAsync<T>(
        FolderPath path, bool readOnly, Func<ImapClient, SelectedFolder, string, T> open, CancellationToken cancellationToken)
        where T : IMessageFolder
    {
        var wire = await WireNameAsync(path, cancellationToken);
        var client = await pool.LeaseAsync(cancellationToken);
        var isClean = false;
        try
        {
            var selected = await client.SelectAsync(wire, readOnly, cancellationToken);
            // Where the server sends no EXISTS, the folder looks empty, so it is opened only if STATUS confirms that it is.
            if (!selected.TellsMessages && await client.StatusAsync(wire, cancellationToken) is not { TellsMessages: true, Messages: 0 })
                throw new MailException(FailureScope.Folder, true, $"the server opens {path} and does not say how many messages it has (EXISTS)");
            return open(client, await CompleteAsync(client, selected, wire, cancellationToken), wire);
        }
        catch (Exception e)
        {
            isClean = e is ImapCommandException or MailException;
            await pool.ReturnAsync(client, isClean);
            if (ImapFailure.IsImap(e))
                throw ImapFailure.Translate(e, FailureScope.Folder, $"cannot open {path}");
            throw;
        }
    }

    /// <summary>
    /// Asks by STATUS for the UIDNEXT or UIDVALIDITY that SELECT did not report (Winmail Pro). Without these values the program could not
    /// notice that the folder was restored from a backup.
    /// </summary>
    private static async Task<SelectedFolder> CompleteAsync(ImapClient client, SelectedFolder selected, string wire, CancellationToken cancellationToken)
    {
        var told = selected.Counters;
        if (!told.UidNext.IsNone && !told.UidValidity.IsNone)
            return selected;
        try
        {
            if (await client.StatusAsync(wire, cancellationToken) is not { } asked)
                return selected;
            var validity = told.UidValidity.IsNone ? asked.UidValidity : told.UidValidity;
            var next = told.UidNext.IsNone && (asked.UidValidity.IsNone || asked.UidValidity == validity) ? asked.UidNext : told.UidNext;
            return selected with { Counters = told with { UidValidity = validity, UidNext = next } };
        }
        catch (ImapCommandException)
        {
            return selected;
        }
    }

    private async Task<T> RunAsync<T>(
        Func<ImapClient, Task<T>> commands, FailureScope scope, string what, CancellationToken cancellationToken)
    {
        try
        {
            return await pool.RunAsync(commands, cancellationToken);
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw ImapFailure.Translate(e, scope, what);
        }
    }
}
