using System.Globalization;
using System.Net;
using Imapsync.Fleet.Listing;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>
/// The cost of the web pages about a long account list. The figures in docs/fleet.md are taken from the output of these tests
/// (IMAPSYNC_TESTS_LONG=1: 50,000 accounts).
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class PageCostTests(PostgresFixture postgres) : IDisposable
{
    private static readonly FleetTimes Patient = new() { Lease = TimeSpan.FromHours(1), Ready = TimeSpan.FromHours(1), Silence = TimeSpan.FromHours(1) };

    private readonly TempDir dir = new();

    private static bool IsLong => Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1";

    [Fact]
    public async Task In_PostgreSQL() => await AskAsync("PostgreSQL", await FleetStore.OpenPostgresAsync(await postgres.NewDatabaseAsync(), Patient, CancellationToken.None));

    [Fact]
    public async Task In_a_file() => await AskAsync("one file", await FleetStore.OpenFileAsync(dir["many.db"], Patient, CancellationToken.None));

    public void Dispose() => dir.Dispose();

    private static async Task AskAsync(string medium, FleetStore store)
    {
        var (accounts, times) = IsLong ? (50_000, 100) : (1_000, 3);
        await using var lab = await DashboardLab.StartAsync(store);
        await lab.SubmitAsync("all", accounts);
        var offers = await lab.BeginAsync(100);
        foreach (var offer in offers)
            await lab.ProgressAsync(offer, 100, 400, [.. Enumerable.Range(1, 200).Select(i => new AttemptLine(i, 0, $"line {i} of what happened with this account"))]);
        await lab.EndAsync(offers[0], AccountStatus.Incomplete, "refused", DashboardLab.Report(200, "A subject of usual length", [.. Enumerable.Range(0, 500).Select(i => $"Folder {i}")]));
        using var client = lab.Client();
        await client.SignInAsync(lab.Operator);
        (string What, string Path, string Shown)[] pages =
        [
            ("batches", "/", $"0 of {accounts:N0} done"),
            ("accounts of a batch", "/accounts?batch=1", $"{accounts:N0} accounts"),
            ("all accounts, by name from the end", "/accounts?sort=-name", $"user{accounts - 1:00000}"),
            ("by status", "/accounts?batch=1&sort=status", "user00100"),
            ("by problems from the end", "/accounts?batch=1&sort=-problems", $"user{accounts - 1:00000}"),
            ("a page far down", $"/accounts?batch=1&after={accounts / 2}.{accounts / 2}", $"user{accounts / 2:00000}"),
            ("only running", "/accounts?batch=1&status=running", "100 of 400"),
            ("an account with 500 folders, 200 problems, 200 lines", "/accounts/1", "Folder 499"),
            ("an account at work", "/accounts/2", "line 200 of what happened"),
            ("workers", "/workers", "of 100 slots taken"),
            ("import", "/import", "64 MiB"),
            ("a search that finds one", "/accounts?text=user00500@", "1 account"),
            ("a search that finds all", "/accounts?text=old.example", $"{accounts:N0} accounts"),
        ];
        foreach (var (what, path, shown) in pages)
        {
            var took = new List<double>();
            for (var i = 0; i < times; i++)
            {
                var began = TimeProvider.System.GetTimestamp();
                var (status, body, _) = await client.GetAsync(path);
                took.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
                Assert.Equal(HttpStatusCode.OK, status);
                Assert.Contains(shown, body, StringComparison.Ordinal);
            }

            took.Sort();
            TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{medium}, {accounts} accounts, {what}: p50 {took[took.Count / 2]:0} ms, p95 {took[took.Count * 95 / 100]:0} ms of {times}"));
        }
    }
}
