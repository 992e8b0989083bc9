using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Dashboard;

/// <summary>The page of workers: the accounts that each worker is running, and how much all workers copied lately.</summary>
internal sealed class WorkersModel(FleetStore store) : DashboardPage
{
    public IReadOnlyList<WorkerView> Workers { get; private set; } = [];

    public Throughput Throughput { get; private set; } = null!;

    /// <summary>A text that changes whenever the page would show something different about a worker.</summary>
    public string Version { get; private set; } = "";

    public async Task OnGetAsync(CancellationToken cancellationToken)
    {
        Workers = await store.ReadWorkersAsync(cancellationToken);
        Version = VersionOf(Workers);
        Throughput = await Throughput.ReadAsync(store, Request.Query["span"] == "day" ? ThroughputSpan.Day : ThroughputSpan.Hour, cancellationToken);
    }

    public static string VersionOf(IEnumerable<WorkerView> workers)
    {
        var text = new StringBuilder();
        foreach (var w in workers)
        {
            text.Append(CultureInfo.InvariantCulture, $"{w.Id}\n{w.Seen} {w.IsAlive} {w.IsDraining} {w.Slots}\n");
            foreach (var a in w.Accounts)
                text.Append(CultureInfo.InvariantCulture, $"{a.Id} {a.Status} {a.Copied} {a.Folder}\n");
        }

        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 8));
    }

    /// <summary>Returns a word for a worker's state, and its meaning.</summary>
    public static (string Word, string Meaning) StateOf(WorkerView worker) => worker switch
    {
        { IsAlive: false } => ("silent", "not heard of: it has died, or the database is out of its reach. What it had goes to others"),
        { IsDraining: true, Held: 0 } => ("drained", "it has given everything back and ends"),
        { IsDraining: true } => ("draining", "it takes nothing more and ends when what is in hand is saved"),
        { Held: 0 } => ("idle", "it has nothing to do"),
        _ => ("at work", ""),
    };
}
