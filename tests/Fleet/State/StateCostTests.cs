using System.Globalization;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Fleet.Listing;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.State;

/// <summary>
/// Twenty accounts at once save batches of 500 messages: each save must write only its own batch. The figures in docs/fleet.md are taken
/// from the output of these tests.
/// </summary>
[Collection(PostgresCollection.Name)]
public sealed class StateCostTests(PostgresFixture postgres) : IDisposable
{
    private const int AtOnce = 20;
    private const int Window = 500;

    private readonly TempDir dir = new();

    /// <summary>With IMAPSYNC_TESTS_LONG=1 a mailbox has 100,000 messages.</summary>
    private static int Windows => Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 200 : 10;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task In_PostgreSQL()
    {
        var database = await postgres.NewDatabaseAsync();
        await SaveAsync(times => FleetStore.OpenPostgresAsync(database, times, Stop));
    }

    [Fact]
    public Task In_a_file() => SaveAsync(times => FleetStore.OpenFileAsync(dir["fleet.db"], times, Stop));

    public void Dispose() => dir.Dispose();

    private static async Task SaveAsync(Func<FleetTimes, Task<FleetStore>> open)
    {
        await using var lab = await StateLab.BeginAsync(open, AtOnce);
        var began = TimeProvider.System.GetTimestamp();
        var saves = (await Task.WhenAll(lab.Begun.Select(offer => Task.Run(() => FillAsync(lab, offer), Stop)))).SelectMany(s => s).Order().ToList();
        var seconds = TimeProvider.System.GetElapsedTime(began).TotalSeconds;
        var lengths = new List<long>();
        foreach (var offer in lab.Begun)
        {
            await using var state = lab.Open(Of(offer), offer);
            using var journal = await state.OpenAsync(StateName.Journal(Pair), Stop);
            lengths.Add(journal!.Length);
        }

        // Each save appended one batch, so the total written equals the length of the journals.
        Assert.All(lengths, l => Assert.InRange(l, 20L * Window * Windows, 60L * Window * Windows));
        TestContext.Current.TestOutputHelper?.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{lab.Store.Display}: {saves.Count} saves of {Window} messages by {AtOnce} accounts at once in {seconds:0.0} s, {saves.Count / seconds:0}/s; {lengths[0] / Windows} octets each; median {saves[saves.Count / 2]:0.0} ms, 99 of 100 in {saves[saves.Count * 99 / 100]:0.0} ms"));
    }

    private static PairKey Pair => new(FolderPath.Inbox, FolderPath.Inbox);

    private static StateLocation Of(Offer offer) => new(offer.Account.ToString(CultureInfo.InvariantCulture));

    private static async Task<List<double>> FillAsync(StateLab lab, Offer offer)
    {
        await using var store = await CheckpointStore.OpenAsync(lab.Open(Of(offer), offer), readOnly: false, Stop);
        await using var checkpoint = await store.OpenAsync(Pair, Stop);
        checkpoint.Reset(new UidValidity(7), new UidValidity(8), "");
        var saves = new List<double>();
        for (var window = 0; window < Windows; window++)
        {
            for (var n = 1; n <= Window; n++)
            {
                var uid = new Uid((uint)((window * Window) + n));
                checkpoint.Settle(new SettledMessage(uid, uid, Settlement.Copied, FlagSet.Empty, new MessageChecksum(0xdeadbeef, 5320)));
            }

            var began = TimeProvider.System.GetTimestamp();
            await checkpoint.CommitAsync(Stop);
            saves.Add(TimeProvider.System.GetElapsedTime(began).TotalMilliseconds);
        }

        return saves;
    }
}
