using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Logged-in connections of one account, at most as many as the endpoint allows. An open folder leases a connection for itself. A command that
/// needs no folder shares a connection with other such commands or uses an idle one. When all are leased, the command runs on a leased connection,
/// which IMAP permits; so a job that holds every connection can still ask for a STATUS. When the server says that there are too many connections,
/// the pool uses fewer and tries one more after a while. An idle connection is kept alive while the job uses other connections.
/// </summary>
internal sealed partial class ConnectionPool : IAsyncDisposable
{
    /// <summary>The pool closes a connection after this many refused commands. Exchange itself closes a connection at the tenth.</summary>
    public const int MaxRefusals = 8;

    /// <summary>How long a connection may be quiet before it gets a NOOP. Some gateways drop a connection after five quiet minutes.</summary>
    public static readonly TimeSpan KeepAliveAfter = TimeSpan.FromMinutes(3);

    /// <summary>
    /// How long the pool uses fewer connections after the server refused one; then it tries one more. Each failed try doubles this time.
    /// </summary>
    public static readonly TimeSpan FirstLowering = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan LongestLowering = TimeSpan.FromHours(1);
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(30);

    private readonly Func<CancellationToken, Task<ImapClient>> connect;
    private readonly int size;
    private readonly TimeProvider time;
    private readonly Action<string> onNote;
    private readonly SemaphoreSlim places;
    private readonly Lock gate = new();
    private readonly Stack<ImapClient> idle = new();
    private readonly List<ImapClient> leased = [];
    private readonly ITimer timer;
    private readonly ConnectionShare? share;

    // The number of permitted connections (places) that stay unused because the server refused connections; for how long they stay unused,
    // and since when.
    private int lowered;
    private TimeSpan lowering;
    private long loweredAt;
    private bool isDisposed;

    /// <param name="size">The most connections.</param>
    /// <param name="share">
    /// Set where the connections to a host are limited for all accounts together. The pool may then open one connection at first, and more
    /// only when other accounts do not need them. Null otherwise.
    /// </param>
    public ConnectionPool(Func<CancellationToken, Task<ImapClient>> connect, int size, TimeProvider time, Action<string> onNote, ConnectionShare? share = null)
    {
        (this.connect, this.size, this.time, this.onNote, this.share) = (connect, size, time, onNote, share);
        places = new SemaphoreSlim(share is null ? size : 1);
        if (share is not null)
            (share.OnSpare, share.OnWanted) = (OnSpare, OnWanted);
        timer = time.CreateTimer(static p => ((ConnectionPool)p!).OnTick(), this, Tick, Tick);
    }

    public async Task<ImapClient> LeaseAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await TakePlaceAsync(cancellationToken);
            try
            {
                var client = TakeIdle() ?? await connect(cancellationToken);
                lock (gate)
                    leased.Add(client);
                return client;
            }
            catch (MailException e) when (HasLeased && IsTooMany(e))
            {
                // The server permits fewer connections than the endpoint's limit. So one permitted connection stays unused for now, and the
                // caller waits for another one.
                Lower(e.Message);
            }
            catch
            {
                places.Release();
                throw;
            }
        }
    }

    /// <summary>
    /// Closes a leased connection and replaces it with a new one. If this throws, the caller still has to return the old connection,
    /// although it is closed, so that another one can be opened in its place.
    /// </summary>
    public async Task<ImapClient> ReplaceAsync(ImapClient client, CancellationToken cancellationToken)
    {
        lock (gate)
            leased.Remove(client);
        await CloseAsync(client);
        var fresh = await connect(cancellationToken);
        lock (gate)
            leased.Add(fresh);
        return fresh;
    }

    /// <param name="isClean">Whether nothing is in flight on the connection.</param>
    public async ValueTask ReturnAsync(ImapClient client, bool isClean)
    {
        var isWanted = share?.IsWanted == true;
        var keep = isClean && IsKept(client) && !isWanted;
        lock (gate)
        {
            leased.Remove(client);
            if (keep)
                idle.Push(client);
        }

        if (!keep)
            await CloseAsync(client);
        if (client.BreakReason is ImapConnectionException { Bye: { } bye } && IsTooMany(bye) && HasLeased)
            Lower($"{bye}");
        else if (!isWanted || !TryGiveUpPlace())
            places.Release();
    }

    public async ValueTask DisposeAsync()
    {
        List<ImapClient> all;
        lock (gate)
        {
            isDisposed = true;
            if (share is not null)
                (share.OnSpare, share.OnWanted) = (null, null);
            all = [.. idle, .. leased];
            idle.Clear();
        }

        await timer.DisposeAsync();

        await LogOutAsync(all, time);
        places.Dispose();
    }

    /// <summary>Logs out of connections and closes them. A connection that does not answer LOGOUT is closed after a short time.</summary>
    public static async Task LogOutAsync(IEnumerable<ImapClient> clients, TimeProvider time)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);
        await Task.WhenAll(clients.Select(async client =>
        {
            try
            {
                await client.LogOutAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                await client.DisposeAsync();
            }
        }));
    }

    /// <summary>
    /// Closes a connection that is no longer leased, together with the idle connections if these are likely to be broken as well.
    /// </summary>
    private async ValueTask CloseAsync(ImapClient client)
    {
        List<ImapClient> closing = [client];

        // A network failure of this connection most likely broke the idle ones as well, and each would cost another attempt to find out.
        if (client.BreakReason is ImapConnectionException { Failure: ConnectionFailure.Network or ConnectionFailure.Stall })
        {
            lock (gate)
            {
                closing.AddRange(idle);
                idle.Clear();
            }
        }

        foreach (var gone in closing)
            await gone.DisposeAsync();
    }

    private static bool IsKept(ImapClient client) => !client.IsBroken && client.Refusals < MaxRefusals;

    private static bool IsTooMany(MailException e) => e.InnerException switch
    {
        ImapCommandException refused => IsTooMany(refused.Reply),
        ImapConnectionException { Bye: { } bye } => IsTooMany(bye),
        _ => false,
    };

    private static bool IsTooMany(StatusReply reply) => RefusalClassifier.Classify(reply).Kind == RefusalKind.TooManyConnections;

    private void Lower(string words)
    {
        lock (gate)
        {
            lowered++;
            var next = lowering * 2;
            lowering = lowering == default ? FirstLowering : next < LongestLowering ? next : LongestLowering;
            loweredAt = time.GetTimestamp();
        }

        TryGiveUpPlace();
        onNote($"fewer than {size} connections are used for now, the server wants no more: {words}");
    }

    private void OnTick()
    {
        List<ImapClient> quiet;
        lock (gate)
        {
            if (isDisposed)
                return;
            if (lowered > 0 && time.GetElapsedTime(loweredAt) >= lowering)
            {
                lowered--;
                loweredAt = time.GetTimestamp();
                if (share is null)
                    places.Release();
            }

            quiet = [.. idle.Concat(leased).Where(c => !c.IsBroken && c.QuietTime >= KeepAliveAfter)];
        }

        if (share is not null)
            OnSpare();
        foreach (var client in quiet)
            _ = KeepAliveAsync(client);
    }

    /// <summary>Sends a NOOP. It is queued like any other command, so it does not disturb a task that uses the connection.</summary>
    private static async Task KeepAliveAsync(ImapClient client)
    {
        try
        {
            await client.NoopAsync(CancellationToken.None);
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            // A failure is ignored here: the connection's next user finds it broken and leases another.
        }
    }

    private bool HasLeased
    {
        get
        {
            lock (gate)
                return leased.Count > 0;
        }
    }

    private ImapClient? TakeIdle()
    {
        lock (gate)
        {
            while (idle.TryPop(out var client))
            {
                if (!client.IsBroken)
                    return client;
            }
        }

        return null;
    }
}
