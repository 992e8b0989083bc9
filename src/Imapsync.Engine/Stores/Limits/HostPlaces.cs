using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Limits;

/// <summary>
/// The connections to hosts that have a connection limit, counted over all jobs of the process, for sources and targets together. A job is
/// admitted when it can have one connection for its source and one for its target; if it were given one without the other, two jobs could
/// each hold one connection and wait for the other's for ever. Connections that no waiting job needs are lent evenly to the running jobs.
/// When another account waits, an account with more than one connection gives back idle ones, never one in use.
/// </summary>
internal sealed class HostPlaces
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, Host> hosts = new(StringComparer.Ordinal);
    private readonly LinkedList<HostEntry> queue = new();

    /// <summary>
    /// Waits until the job can have a connection for its source and one for its target. Jobs are served in order of arrival, except that a
    /// job may overtake jobs that wait for other hosts.
    /// </summary>
    /// <param name="source">The limits of the source's host; null where its connections are not limited.</param>
    /// <param name="target">The limits of the target's host; null where its connections are not limited.</param>
    /// <param name="onQueue">Called once, with a text for people, if the job has to wait.</param>
    /// <exception cref="MailException">The limit is below the number of connections that the job needs at least.</exception>
    public async Task<HostEntry> EnterAsync(HostLimits? source, HostLimits? target, Action<string> onQueue, CancellationToken cancellationToken)
    {
        HostEntry entry;
        List<Action> calls;
        string? why;
        lock (gate)
        {
            entry = new HostEntry(this, ShareOf(source), ShareOf(target));
            if (entry.Shares.CountBy(s => s.Host).FirstOrDefault(h => h.Value > h.Key.Limit) is { Key: { } small })
                throw new MailException(FailureScope.Store, false, $"'connections' of {small.Name} is {small.Limit}, and a job between two accounts there needs 2") { Kind = FailureKind.Configuration };
            queue.AddLast(entry);
            Admit();
            why = entry.IsIn ? null : WhyNot(entry);
            calls = entry.IsIn ? [] : Wanted(entry);
        }

        Call(calls);
        if (why is not null)
            onQueue(why);
        try
        {
            await entry.Admitted.WaitAsync(cancellationToken);
            return entry;
        }
        catch
        {
            entry.Dispose();
            throw;
        }
    }

    internal void Leave(HostEntry entry)
    {
        List<Action> calls;
        lock (gate)
        {
            if (!queue.Remove(entry))
            {
                foreach (var share in entry.Shares)
                {
                    share.Host.Used -= share.Held;
                    share.Host.Members.Remove(share);
                    share.Held = 0;
                }
            }

            Admit();
            calls = Spare();
        }

        Call(calls);
    }

    private Share? ShareOf(HostLimits? limits)
    {
        if (limits?.Connections is not { } most)
            return null;
        if (!hosts.TryGetValue(limits.Host, out var host))
            hosts.Add(limits.Host, host = new Host(limits.Host, most));
        return new Share(this, host);
    }

    /// <summary>
    /// Admits waiting jobs in order. A job that still has to wait reserves its hosts, so that no later job takes a connection there;
    /// otherwise the waiting job might wait for ever.
    /// </summary>
    private void Admit()
    {
        var claimed = new HashSet<Host>();
        for (var node = queue.First; node is not null;)
        {
            var (entry, next) = (node.Value, node.Next);
            if (entry.Shares.CountBy(s => s.Host).All(h => !claimed.Contains(h.Key) && h.Key.Used + h.Value <= h.Key.Limit))
            {
                queue.Remove(node);
                foreach (var share in entry.Shares)
                {
                    share.Host.Used++;
                    share.Held = 1;
                    share.Host.Members.Add(share);
                }

                entry.LetIn();
            }
            else
            {
                claimed.UnionWith(entry.Shares.Select(s => s.Host));
            }

            node = next;
        }
    }

    private static string WhyNot(HostEntry entry)
    {
        var full = entry.Shares.Select(s => s.Host).Where(h => h.Used >= h.Limit).DefaultIfEmpty(entry.Shares[0].Host).First();
        return $"all connections to {full.Name} are in use ({full.Used} of {full.Limit}); other jobs have them";
    }

    private bool IsQueuedFor(Host host) => queue.Any(e => e.Shares.Any(s => s.Host == host));

    /// <summary>Returns the callbacks that ask other accounts to give back idle connections, which the waiting job needs.</summary>
    private static List<Action> Wanted(HostEntry entry) =>
        [.. entry.Shares.Select(s => s.Host).Distinct().SelectMany(h => h.Members).Where(m => m.Held > 1).Select(m => m.OnWanted).OfType<Action>()];

    /// <summary>Returns callbacks of accounts that asked for more connections and may now have one. Those with the fewest connections come first.</summary>
    private List<Action> Spare()
    {
        var calls = new List<Action>();
        foreach (var host in hosts.Values.Where(h => h.Used < h.Limit && !IsQueuedFor(h)))
        {
            foreach (var share in host.Members.Where(m => m.Wants).OrderBy(m => m.Held).Take(host.Limit - host.Used))
            {
                share.Wants = false;
                if (share.OnSpare is { } call)
                    calls.Add(call);
            }
        }

        return calls;
    }

    // The callbacks are never called under the lock: they take locks of their own and call back into this class.
    private static void Call(List<Action> calls) => calls.ForEach(c => c());

    internal sealed class Host(string name, int limit)
    {
        public string Name => name;

        public int Limit => limit;

        public int Used { get; set; }

        public List<Share> Members { get; } = [];
    }

    internal sealed class Share(HostPlaces places, Host host) : ConnectionShare
    {
        public Host Host => host;

        public int Held { get; set; }

        public bool Wants { get; set; }

        public override bool IsWanted
        {
            get
            {
                lock (places.gate)
                    return Held > 1 && (places.IsQueuedFor(host) || host.Members.Exists(m => m.Wants && m.Held + 1 < Held));
            }
        }

        public override bool TryTake()
        {
            List<Action> calls;
            lock (places.gate)
            {
                var isFree = host.Used < host.Limit && !places.IsQueuedFor(host) && !host.Members.Exists(m => m != this && m.Wants && m.Held < Held);
                if (Held > 0 && isFree)
                {
                    host.Used++;
                    Held++;
                    Wants = false;
                    return true;
                }

                Wants = Held > 0;
                calls = [.. host.Members.Where(m => m != this && m.Held > Held + 1).Select(m => m.OnWanted).OfType<Action>()];
            }

            Call(calls);
            return false;
        }

        public override void GiveBack()
        {
            List<Action> calls;
            lock (places.gate)
            {
                if (Held <= 1)
                    return;
                Held--;
                host.Used--;
                places.Admit();
                calls = places.Spare();
            }

            Call(calls);
        }
    }
}

/// <summary>
/// The connections of an admitted job at hosts with a limit. Disposing the entry returns them, so the job's stores have to be closed before.
/// </summary>
internal sealed class HostEntry : IDisposable
{
    private readonly HostPlaces places;
    private readonly TaskCompletionSource admitted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int isOver;

    public HostEntry(HostPlaces places, HostPlaces.Share? source, HostPlaces.Share? target)
    {
        this.places = places;
        (Source, Target) = (source, target);
        Shares = [.. new[] { source, target }.OfType<HostPlaces.Share>()];
    }

    /// <summary>The source's share of its host's connections; null where the host has no limit.</summary>
    public ConnectionShare? Source { get; }

    public ConnectionShare? Target { get; }

    internal IReadOnlyList<HostPlaces.Share> Shares { get; }

    internal Task Admitted => admitted.Task;

    internal bool IsIn => admitted.Task.IsCompleted;

    internal void LetIn() => admitted.TrySetResult();

    public void Dispose()
    {
        if (Interlocked.Exchange(ref isOver, 1) == 0)
            places.Leave(this);
    }
}
