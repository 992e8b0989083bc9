using System.Globalization;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Security.Claims;
using System.Text.Json;
using System.Threading.Channels;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Preflights;

namespace Imapsync.Fleet.Dashboard;

/// <summary>
/// Keeps open pages up to date by server-sent events. The database is read once every two seconds for all listeners together. It is not
/// read while there are none.
/// </summary>
internal sealed class LiveNumbers(FleetStore store, PreflightDesk desk, Session sessions, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<LiveNumbers> log)
{
    private const int MostAccounts = 500;
    private const int MostListeners = 200;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private static readonly Dictionary<long, string> EmptyLogs = [];

    private readonly Lock guard = new();
    private readonly List<Listener> listeners = [];
    private bool isLooking;

    /// <summary>The endpoint. Each event is a JSON object that maps the <c>data-live</c> names of changed texts to the new texts.</summary>
    /// <param name="accounts">The numbers of the accounts that the page shows, separated by commas.</param>
    /// <param name="batches">Whether the page shows the numbers of batches.</param>
    /// <param name="story">The account whose report, history and log the page shows; null for none.</param>
    /// <param name="check">The preflight that the page shows; null for none.</param>
    /// <param name="workers">Whether the page shows the workers and the throughput.</param>
    public static IResult Stream(LiveNumbers live, ClaimsPrincipal user, string? accounts, bool? batches, long? story, string? check, bool? workers, CancellationToken cancellationToken)
    {
        var ids = new HashSet<long>();
        foreach (var text in (accounts ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || !ids.Add(id) || ids.Count > MostAccounts)
                return TypedResults.BadRequest();
        }

        return live.IsFull
            ? TypedResults.StatusCode(StatusCodes.Status503ServiceUnavailable)
            : TypedResults.ServerSentEvents(live.FollowAsync(new Listener(ids, batches == true, story, check, workers == true), user, cancellationToken));
    }

    private bool IsFull
    {
        get
        {
            lock (guard)
                return listeners.Count >= MostListeners;
        }
    }

    private void Add(Listener listener)
    {
        lock (guard)
        {
            listeners.Add(listener);
            if (isLooking)
                return;
            isLooking = true;
            _ = LookAsync();
        }
    }

    private async IAsyncEnumerable<SseItem<string>> FollowAsync(Listener listener, ClaimsPrincipal user, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        var shown = new Dictionary<string, string>(StringComparer.Ordinal);
        Add(listener);
        try
        {
            while (await HasNextAsync(listener, stop.Token) && sessions.Renew(user) is not null)
            {
                if (!listener.Looks.Reader.TryRead(out var look))
                    continue;
                var changed = listener.Texts(look).Where(t => !shown.TryGetValue(t.Name, out var before) || before != t.Text).ToDictionary(t => t.Name, t => t.Text, StringComparer.Ordinal);
                foreach (var (name, text) in changed)
                    shown[name] = text;
                // Sent even without changes. It tells the page that its numbers are current, and shows this server whether the browser is
                // still connected.
                yield return new SseItem<string>(JsonSerializer.Serialize(changed));
            }
        }
        finally
        {
            lock (guard)
                listeners.Remove(listener);
        }
    }

    private static async Task<bool> HasNextAsync(Listener listener, CancellationToken stop)
    {
        try
        {
            return await listener.Looks.Reader.WaitToReadAsync(stop);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task LookAsync()
    {
        await Task.Yield();
        while (Present() is { Count: > 0 } present)
        {
            try
            {
                var batches = present.Any(l => l.IsForBatches) ? await store.ReadBatchesAsync(lifetime.ApplicationStopping) : [];
                long[] ids = [.. present.SelectMany(l => l.Accounts).Distinct()];
                var accounts = ids.Length == 0 ? [] : (await store.ReadAccountsAsync(new AccountPage(new AccountFilter(Ids: ids), Limit: ids.Length), lifetime.ApplicationStopping)).Accounts;
                long[] stories = [.. present.Select(l => l.Story).OfType<long>().Distinct()];
                var logs = stories.Length == 0 ? EmptyLogs : await store.ReadLogEndsAsync(stories, lifetime.ApplicationStopping);
                var checks = present.Select(l => l.Check).OfType<string>().Distinct().Select(desk.Find).OfType<Preflight>().Select(p => p.View).ToDictionary(v => v.Id);
                var workers = present.Any(l => l.IsForWorkers) ? await ReadWorkersAsync() : [];
                var look = new Look(batches, accounts.ToDictionary(a => a.Id), logs, checks, workers);
                foreach (var listener in present)
                    listener.Looks.Writer.TryWrite(look);
                await Task.Delay(Pause, time, lifetime.ApplicationStopping);
            }
            catch (OperationCanceledException) when (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The pages keep their numbers and say that these are old; the next attempt may succeed.
                log.LogWarning(e, "Live numbers could not be read");
                await Task.Delay(Pause, time, CancellationToken.None);
            }
        }
    }

    private async Task<IReadOnlyList<(string Name, string Text)>> ReadWorkersAsync()
    {
        var stop = lifetime.ApplicationStopping;
        var newest = new Throughput(ThroughputSpan.Hour, await store.ReadThroughputAsync(1, 1, stop));
        return [("workers", WorkersModel.VersionOf(await store.ReadWorkersAsync(stop))), ("throughput", newest.Version), ("throughput-table", newest.Version)];
    }

    /// <summary>Returns the listeners. If there are none, the database is not read again until the next listener comes.</summary>
    private List<Listener> Present()
    {
        lock (guard)
        {
            isLooking = listeners.Count > 0;
            return [.. listeners];
        }
    }

    /// <param name="Logs">For each account whose log a page shows, a text that changes whenever the log does.</param>
    private sealed record Look(IReadOnlyList<BatchView> Batches, Dictionary<long, AccountView> Accounts, IReadOnlyDictionary<long, string> Logs, Dictionary<string, PreflightView> Checks, IReadOnlyList<(string Name, string Text)> Workers);

    private sealed record Listener(IReadOnlySet<long> Accounts, bool IsForBatches, long? Story, string? Check, bool IsForWorkers)
    {
        /// <summary>Holds only the newest numbers read from the database, because a slow listener does not need older ones.</summary>
        public Channel<Look> Looks { get; } = Channel.CreateBounded<Look>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

        public IEnumerable<(string Name, string Text)> Texts(Look look) =>
            (IsForBatches ? BatchLine.Texts(look.Batches) : [])
            .Concat(Accounts.Where(look.Accounts.ContainsKey).SelectMany(id => new AccountLine(look.Accounts[id]).Texts))
            .Concat(Story is { } story && look.Accounts.TryGetValue(story, out var account) ? [("story", AccountStory.VersionOf(account)), ("log", look.Logs.GetValueOrDefault(story, ""))] : [])
            .Concat(Check is { } check && look.Checks.TryGetValue(check, out var view) ? new CheckLine(view).Texts : [])
            .Concat(IsForWorkers ? look.Workers : []);
    }
}
