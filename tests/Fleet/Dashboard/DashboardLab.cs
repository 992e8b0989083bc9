using System.Net;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.Submitting;
using Imapsync.Tests.Support;
using Microsoft.AspNetCore.Builder;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>A server of the pages with a list of its own, one user who operates and one who looks. No worker: a test says how accounts stand.</summary>
public sealed class DashboardLab : IAsyncDisposable
{
    private readonly TempDir dir;
    private readonly FleetStore store;
    private readonly WebApplication app;

    private DashboardLab(TempDir dir, FleetStore store)
    {
        (this.dir, this.store) = (dir, store);
        var tokens = new Tokens(dir["tokens"]);
        (Operator, Looker) = (tokens.Add("ann", Role.Operate), tokens.Add("bob", Role.Look));
        app = FleetServer.Build(new IPEndPoint(IPAddress.Loopback, 0), null, store, new BatchReader(Seal.Open(dir["keys"]), new BatchRules(trusted: false, [], new Dictionary<string, string>())), tokens, dir["keys"]);
    }

    public string Operator { get; }

    public string Looker { get; }

    public FleetStore Store => store;

    public Uri Address => new(app.Urls.First());

    /// <param name="store">Null: a file of its own.</param>
    public static async Task<DashboardLab> StartAsync(FleetStore? store = null)
    {
        var dir = new TempDir();
        var times = new FleetTimes { Lease = TimeSpan.FromHours(1), Ready = TimeSpan.FromHours(1), Silence = TimeSpan.FromHours(1) };
        var lab = new DashboardLab(dir, store ?? await FleetStore.OpenFileAsync(dir["fleet.db"], times, CancellationToken.None));
        await lab.app.StartAsync();
        return lab;
    }

    /// <summary>A list of so many accounts, <c>user00000</c> and so on, or of those named.</summary>
    public Task<Submitted> SubmitAsync(string batch, int count, params string[] names) =>
        store.SubmitAsync(new NewBatch(batch, "job", 0, null, "UTC", false), [.. names.Concat(Enumerable.Range(0, count).Select(i => $"user{i:00000}")).Select(n => new NewAccount(
            n, $"{batch} {n}", $"imaps://{n}@old.example:993", $"imaps://{n}@new.example:993", "old.example", "new.example", 1, 1, "cells"))], CancellationToken.None);

    /// <summary>Begins so many accounts, the first of the list, as a worker does.</summary>
    public async Task<IReadOnlyList<Offer>> BeginAsync(int count)
    {
        await store.SeenAsync("worker-1", count, "1", false, CancellationToken.None);
        var offers = await store.FeedAsync((_, _, _) => null, CancellationToken.None);
        foreach (var offer in offers)
            await store.StartAsync(offer.Account, offer.Attempt, "worker-1", CancellationToken.None);
        return offers;
    }

    public Task ProgressAsync(Offer offer, long copied, long planned) =>
        store.RenewAsync("worker-1", [new AccountProgress(offer.Account, offer.Attempt, planned, copied, copied * 4000, "Archive/2025")], CancellationToken.None);

    public Task EndAsync(Offer offer, AccountStatus status, string text) =>
        store.FinishAsync("worker-1", new AttemptEnd(offer.Account, offer.Attempt, status, 0, 0, text) { Planned = 400, Copied = 400, Bytes = 1_600_000, Problems = status == AccountStatus.Done ? 0 : 3 }, CancellationToken.None);

    public async Task<AccountView> AccountAsync(long id) => (await store.ReadAccountAsync(id, CancellationToken.None))!;

    /// <summary>Takes the tokens of a user out of the file.</summary>
    public void Dismiss(string name) => File.WriteAllLines(dir["tokens"], File.ReadAllLines(dir["tokens"]).Where(l => !l.StartsWith(name, StringComparison.Ordinal)));

    public DashboardClient Client() => new(Address);

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await store.DisposeAsync();
        dir.Dispose();
    }
}
