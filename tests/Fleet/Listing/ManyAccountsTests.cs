using System.Globalization;
using System.Text;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Submitting;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Listing;

/// <summary>
/// A long account list: paging shows every account exactly once. The figures in docs/fleet.md are taken from the output of these tests
/// (IMAPSYNC_TESTS_LONG=1: 50,000 accounts).
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class ManyAccountsTests(PostgresFixture postgres) : IDisposable
{
    private static readonly FleetTimes Patient = new() { Ready = TimeSpan.FromHours(1), Silence = TimeSpan.FromHours(1) };

    private readonly TempDir dir = new();

    private static int Accounts => Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 50_000 : 3_000;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task In_PostgreSQL() => await FillAndReadAsync(await FleetStore.OpenPostgresAsync(await postgres.NewDatabaseAsync(), Patient, Stop));

    [Fact]
    public async Task In_a_file() => await FillAndReadAsync(await FleetStore.OpenFileAsync(dir["fleet.db"], Patient, Stop));

    public void Dispose() => dir.Dispose();

    private async Task FillAndReadAsync(FleetStore store)
    {
        await using var owned = store;
        var csv = Encoding.UTF8.GetBytes("user,password\n" + string.Concat(Enumerable.Range(0, Accounts).Select(i => $"user{i:00000},password{i}\n")));
        var reader = new BatchReader(Seal.Open(dir["keys"]), new BatchRules(trusted: false, [], new Dictionary<string, string>()));
        const string job = """
            jobs:
              - name: "{user}"
                for_each: accounts.csv
                source: { url: "imaps://{user}@old.example", password: "{password}" }
                target: { url: "imaps://{user}@new.example", password: "{password}" }
            """;
        ReadBatch batch = null!;
        await TimeAsync("read and sealed", async () => batch = await Task.Run(() => reader.Read(job, csv), Stop));
        await TimeAsync("put into the list", () => store.SubmitAsync(new NewBatch("all", batch.Job, 0, null, "UTC", false), batch.Accounts, Stop));
        await store.SeenAsync("w", 100, "1", false, Stop);
        IReadOnlyList<Offer> offers = [];
        await TimeAsync("100 given to a worker", async () => offers = await store.FeedAsync((_, _, _) => null, Stop));
        Assert.Equal(100, offers.Count);
        await TimeAsync("counts of all lists", async () => Assert.Equal(Accounts, (await store.ReadBatchesAsync(Stop)).Single().Counts.Values.Sum()));
        foreach (var sort in Enum.GetValues<AccountSort>())
            await TimeAsync($"a page by {sort}", () => store.ReadAccountsAsync(new AccountPage(new AccountFilter(1), sort, IsDescending: true), Stop));
        await TimeAsync("a search", async () => Assert.Single((await store.ReadAccountsAsync(new AccountPage(new AccountFilter(Text: "user01234@")), Stop)).Accounts));
        var seen = 0;
        await TimeAsync("all pages of 500", async () =>
        {
            PageEnd? after = null;
            do
            {
                var (accounts, next) = await store.ReadAccountsAsync(new AccountPage(new AccountFilter(1), AccountSort.Name, Limit: 500, After: after), Stop);
                (seen, after) = (seen + accounts.Count, next);
            }
            while (after is not null);
        });
        Assert.Equal(Accounts, seen);
        await TimeAsync("paused", async () => Assert.Equal(Accounts, await store.ActAsync(AccountAction.Pause, new AccountFilter(1), Stop)));
        await TimeAsync("resumed", () => store.ActAsync(AccountAction.Resume, new AccountFilter(1), Stop));
    }

    private static async Task TimeAsync(string what, Func<Task> work)
    {
        var began = TimeProvider.System.GetTimestamp();
        await work();
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Accounts} accounts, {what}: {TimeProvider.System.GetElapsedTime(began).TotalMilliseconds:0} ms"));
    }
}
