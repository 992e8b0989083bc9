using System.Net;
using System.Text.Json;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Fleet.Dashboard;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Serving;
using Imapsync.Fleet.Submitting;
using Imapsync.Fleet.Working;
using Imapsync.Tests.Support;
using Microsoft.AspNetCore.Builder;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>
/// The fleet's web server with an account list of its own and two users: one with the operator role and one who may only view. It has no
/// worker: tests set the state of accounts.
/// </summary>
public sealed class DashboardLab : IAsyncDisposable
{
    private readonly TempDir dir;
    private readonly FleetStore store;
    private readonly WebApplication app;

    private DashboardLab(TempDir dir, FleetStore store, OidcSettings? oidc)
    {
        (this.dir, this.store) = (dir, store);
        var tokens = new Tokens(dir["tokens"]);
        (Operator, Looker) = (tokens.Add("ann", Role.Operate), tokens.Add("bob", Role.Look));
        app = FleetServer.Build(new IPEndPoint(IPAddress.Loopback, 0), null, store, new BatchReader(Seal.Open(dir["keys"]), new BatchRules(trusted: false, [], new Dictionary<string, string>())), tokens, dir["keys"], oidc);
    }

    public string Operator { get; }

    public string Looker { get; }

    public FleetStore Store => store;

    public Uri Address => new(app.Urls.First());

    /// <param name="store">The database of the account list; null for a new one in a file.</param>
    /// <param name="oidc">The settings of OpenID Connect; null for sign-in only by tokens.</param>
    internal static async Task<DashboardLab> StartAsync(FleetStore? store = null, OidcSettings? oidc = null)
    {
        var dir = new TempDir();
        var times = new FleetTimes { Lease = TimeSpan.FromHours(1), Ready = TimeSpan.FromHours(1), Silence = TimeSpan.FromHours(1) };
        var lab = new DashboardLab(dir, store ?? await FleetStore.OpenFileAsync(dir["fleet.db"], times, CancellationToken.None), oidc);
        await lab.app.StartAsync();
        return lab;
    }

    /// <summary>Submits a list of the named accounts, followed by the given number of accounts <c>user00000</c> and so on.</summary>
    public Task<Submitted> SubmitAsync(string batch, int count, params string[] names) =>
        store.SubmitAsync(new NewBatch(batch, "job", 0, null, "UTC", false), [.. names.Concat(Enumerable.Range(0, count).Select(i => $"user{i:00000}")).Select(n => new NewAccount(
            n, $"{batch} {n}", $"imaps://{n}@old.example:993", $"imaps://{n}@new.example:993", "old.example", "new.example", 1, 1, "cells"))], CancellationToken.None);

    /// <summary>Starts an attempt for the given number of accounts, in the order of the list, as a worker does.</summary>
    public async Task<IReadOnlyList<Offer>> BeginAsync(int count)
    {
        await store.SeenAsync("worker-1", count, "1", false, CancellationToken.None);
        var offers = await store.FeedAsync((_, _, _) => null, CancellationToken.None);
        foreach (var offer in offers)
            await store.StartAsync(offer.Account, offer.Attempt, "worker-1", CancellationToken.None);
        return offers;
    }

    /// <param name="lines">Numbered lines to add to the log of the attempt.</param>
    public Task ProgressAsync(Offer offer, long copied, long planned, params AttemptLine[] lines) =>
        store.RenewAsync("worker-1", [new AccountProgress(offer.Account, offer.Attempt, planned, copied, copied * 4000, "Archive/2025") { Lines = lines }], CancellationToken.None);

    /// <param name="report">The report that the attempt's page shows; null for none.</param>
    public Task EndAsync(Offer offer, AccountStatus status, string text, JobReport? report = null) =>
        store.FinishAsync(
            "worker-1",
            new AttemptEnd(offer.Account, offer.Attempt, status, 0, 0, text)
            {
                Planned = 400,
                Copied = 400,
                Bytes = 1_600_000,
                Problems = status == AccountStatus.Done ? 0 : 3,
                Report = report is null ? null : JsonSerializer.Serialize(AccountReport.Of(report), AccountReport.Json),
            },
            CancellationToken.None);

    /// <summary>Returns the report of a run over the folders, with the same problem for the given number of messages in the first folder.</summary>
    public static JobReport Report(int problems, string subject, params string[] folders)
    {
        var counts = new FolderCounts { SourceMessages = 1200, Copied = 1000, AlreadyPresent = 150, Failed = 50, Bytes = 4_000_000 };
        return new JobReport(
            "user", JobOutcome.Incomplete, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddMinutes(3), counts,
            [.. folders.Select(f => new FolderReport(FolderPath.Parse(f), FolderPath.Parse(f), counts))],
            [.. Enumerable.Range(1, problems).Select(i => new Problem(FailureScope.Message, FolderPath.Parse(folders[0]), (uint)i, "refused", "the target refused it: NO [LIMIT] message too big")
            {
                Envelope = new Envelope(subject, "Zoë Ünal", "zoe@old.example", new DateTimeOffset(2025, 3, 1, 9, 30, 0, TimeSpan.FromHours(1))),
            })],
            ["UIDVALIDITY of Drafts has changed"]);
    }

    public async Task<AccountView> AccountAsync(long id) => (await store.ReadAccountAsync(id, CancellationToken.None))!;

    /// <summary>Removes a user's tokens from the file of tokens.</summary>
    public void Dismiss(string name) => File.WriteAllLines(dir["tokens"], File.ReadAllLines(dir["tokens"]).Where(l => !l.StartsWith(name, StringComparison.Ordinal)));

    public DashboardClient Client() => new(Address);

    /// <summary>Returns a client of the operator and one of the user who may only view, both signed in.</summary>
    public async Task<(DashboardClient Ann, DashboardClient Bob)> SignInBothAsync()
    {
        var (ann, bob) = (Client(), Client());
        await ann.SignInAsync(Operator);
        await bob.SignInAsync(Looker);
        return (ann, bob);
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await store.DisposeAsync();
        dir.Dispose();
    }
}
