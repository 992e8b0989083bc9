using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Logged-in connections of one account, at most as many as the endpoint allows. An open folder leases one for itself;
/// a command that needs no folder uses an idle one or, when all are out, goes along on one that is leased: IMAP takes it there
/// as well, and a job that holds every connection can still ask for a STATUS.
/// </summary>
internal sealed class ConnectionPool(Func<CancellationToken, Task<ImapClient>> connect, int size, TimeProvider time) : IAsyncDisposable
{
    /// <summary>Exchange closes a connection at the tenth command that it refuses.</summary>
    public const int MaxRefusals = 8;

    private readonly SemaphoreSlim places = new(size);
    private readonly Lock gate = new();
    private readonly Stack<ImapClient> idle = new();
    private readonly List<ImapClient> leased = [];

    public async Task<ImapClient> LeaseAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await places.WaitAsync(cancellationToken);
            try
            {
                var client = TakeIdle() ?? await connect(cancellationToken);
                lock (gate)
                    leased.Add(client);
                return client;
            }
            catch (MailException e) when (HasLeased && IsTooMany(e))
            {
                // The server has had enough before we had: keep this place empty from now on and wait for another.
            }
            catch
            {
                places.Release();
                throw;
            }
        }
    }

    /// <summary>A new connection in the place of a leased one, which is closed. When this throws the place is still the caller's.</summary>
    public async Task<ImapClient> ReplaceAsync(ImapClient client, CancellationToken cancellationToken)
    {
        lock (gate)
            leased.Remove(client);
        await client.DisposeAsync();
        var fresh = await connect(cancellationToken);
        lock (gate)
            leased.Add(fresh);
        return fresh;
    }

    /// <param name="isClean">Nothing is under way on it.</param>
    public async ValueTask ReturnAsync(ImapClient client, bool isClean)
    {
        var keep = isClean && !client.IsBroken && client.Refusals < MaxRefusals;
        lock (gate)
        {
            leased.Remove(client);
            if (keep)
                idle.Push(client);
        }

        if (!keep)
            await client.DisposeAsync();
        places.Release();
    }

    /// <summary>Runs commands that need no folder of their own.</summary>
    public async Task<T> RunAsync<T>(Func<ImapClient, Task<T>> commands, CancellationToken cancellationToken)
    {
        if (places.CurrentCount == 0 && Shared() is { } shared)
            return await commands(shared);
        var client = await LeaseAsync(cancellationToken);
        var isClean = false;
        try
        {
            var result = await commands(client);
            isClean = true;
            return result;
        }
        catch (ImapCommandException)
        {
            isClean = true;
            throw;
        }
        finally
        {
            await ReturnAsync(client, isClean);
        }
    }

    public async ValueTask DisposeAsync()
    {
        List<ImapClient> all;
        lock (gate)
        {
            all = [.. idle, .. leased];
            idle.Clear();
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);
        await Task.WhenAll(all.Select(async client =>
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
        places.Dispose();
    }

    private static bool IsTooMany(MailException e) => e.InnerException switch
    {
        ImapCommandException refused => ServerText.Classify(refused.Reply).Kind == RefusalKind.TooManyConnections,
        ImapConnectionException { Bye: { } bye } => ServerText.Classify(bye).Kind == RefusalKind.TooManyConnections,
        _ => false,
    };

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

    private ImapClient? Shared()
    {
        lock (gate)
            return leased.Find(c => !c.IsBroken);
    }
}
