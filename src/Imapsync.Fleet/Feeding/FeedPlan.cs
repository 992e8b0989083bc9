namespace Imapsync.Fleet.Feeding;

internal readonly record struct WorkerRoom(string Worker, int Slots);

/// <param name="Connections">The most connections at once; 0 if the host must not be used.</param>
internal readonly record struct HostRoom(long Host, long Connections);

/// <summary>
/// A pair of source and target host, with the number of accounts running between them and of connections reserved for them.
/// </summary>
internal readonly record struct HeldRoute(long Route, long Source, long Target, long SourceClaims, long TargetClaims, long Accounts);

internal readonly record struct WaitingAccount(long Account, string Mailbox, long Priority, long DueAt, long SourceClaim, long TargetClaim);

internal readonly record struct Choice(long Account, string Worker, long SourceClaim, long TargetClaim);

/// <summary>
/// Decides which of the due accounts are begun now, and by which worker. (1) A host never gets more connections than it allows, as source
/// and target together. (2) Accounts of higher priority come first. (3) Of routes (pairs of source and target host) with equal priority,
/// the one with the fewest running accounts comes first, so that a slow host does not hold up the others. (4) Each account goes to the
/// worker with the most free slots.
/// </summary>
internal sealed class FeedPlan
{
    private readonly Dictionary<long, long> free = [];
    private readonly Dictionary<long, long> limits = [];
    private readonly Dictionary<long, long> atWork = [];
    private readonly List<Route> routes = [];
    private readonly PriorityQueue<string, int> workers = new();
    private readonly Dictionary<string, int> slots = new(StringComparer.Ordinal);
    private readonly HashSet<string> mailboxes = new(StringComparer.Ordinal);

    public FeedPlan(IEnumerable<WorkerRoom> workers, IEnumerable<HostRoom> hosts, IEnumerable<HeldRoute> held)
    {
        foreach (var worker in workers.Where(w => w.Slots > 0))
        {
            slots.Add(worker.Worker, worker.Slots);
            this.workers.Enqueue(worker.Worker, -worker.Slots);
        }

        foreach (var host in hosts)
        {
            limits[host.Host] = host.Connections;
            free[host.Host] = host.Connections;
        }

        foreach (var route in held)
        {
            free[route.Source] -= route.SourceClaims;
            free[route.Target] -= route.TargetClaims;
            atWork[route.Route] = route.Accounts;
        }
    }

    /// <summary>Whether at least one more connection is free at both hosts.</summary>
    public bool HasRoom(long source, long target) => source == target ? free[source] >= 2 : free[source] >= 1 && free[target] >= 1;

    /// <param name="waiting">The route's due accounts, in the order in which they are to be begun.</param>
    public void Add(long route, long source, long target, IEnumerable<WaitingAccount> waiting) =>
        routes.Add(new Route(source, target, new Queue<WaitingAccount>(waiting)) { AtWork = atWork.GetValueOrDefault(route) });

    public IReadOnlyList<Choice> Choose()
    {
        var chosen = new List<Choice>();
        while (workers.TryPeek(out var worker, out _) && Best() is { } route)
        {
            var account = route.Waiting.Dequeue();
            // Another account with the same mailbox may have been chosen in this round.
            if (!mailboxes.Add(account.Mailbox))
                continue;
            var (source, target) = ClaimsOf(route, account);
            free[route.Source] -= source;
            free[route.Target] -= target;
            route.AtWork++;
            chosen.Add(new Choice(account.Account, worker, source, target));
            workers.Dequeue();
            if (--slots[worker] > 0)
                workers.Enqueue(worker, -slots[worker]);
        }

        return chosen;
    }

    private Route? Best() => routes
        .Where(r => r.Waiting.TryPeek(out var head) && HasRoom(r.Source, r.Target) && Fits(r, ClaimsOf(r, head)))
        .MinBy(r => (-r.Waiting.Peek().Priority, r.AtWork, r.Waiting.Peek().DueAt, r.Waiting.Peek().Account));

    private bool Fits(Route route, (long Source, long Target) claims) => route.Source == route.Target
        ? free[route.Source] >= claims.Source + claims.Target
        : free[route.Source] >= claims.Source && free[route.Target] >= claims.Target;

    /// <summary>
    /// The connections to reserve for an account, within the host's limit. If source and target are on one host, they share the limit.
    /// </summary>
    private (long Source, long Target) ClaimsOf(Route route, WaitingAccount account)
    {
        var (source, target) = (limits[route.Source], limits[route.Target]);
        return route.Source == route.Target
            ? (Math.Min(account.SourceClaim, Math.Max(1, source / 2)), Math.Min(account.TargetClaim, Math.Max(1, target / 2)))
            : (Math.Min(account.SourceClaim, source), Math.Min(account.TargetClaim, target));
    }

    private sealed record Route(long Source, long Target, Queue<WaitingAccount> Waiting)
    {
        public long AtWork { get; set; }
    }
}
