using Imapsync.Engine.State;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.State;

namespace Imapsync.Fleet.Tests.State;

/// <summary>An account list in a database, accounts of it that a worker has begun, and the state of their jobs.</summary>
internal sealed class StateLab : IAsyncDisposable
{
    public const string Worker = "w1";

    private static readonly FleetTimes Endless = new() { Lease = TimeSpan.FromHours(1), Ready = TimeSpan.FromHours(1), Silence = TimeSpan.FromHours(1) };

    private StateLab(FleetStore store, IReadOnlyList<Offer> begun) => (Store, Begun) = (store, begun);

    public FleetStore Store { get; }

    public IReadOnlyList<Offer> Begun { get; }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <param name="open">Opens the list with the given lease times.</param>
    public static async Task<StateLab> BeginAsync(Func<FleetTimes, Task<FleetStore>> open, int accounts = 1, FleetTimes? times = null)
    {
        var store = await open(times ?? Endless);
        var rows = Enumerable.Range(0, accounts).Select(i => new NewAccount($"a{i}", $"m{i}", "s", "t", "old.example", "new.example", 1, 1, "")).ToList();
        await store.SubmitAsync(new NewBatch("b", "job", 0, null, "UTC", false), rows, Stop);
        return new StateLab(store, await OfferAsync(store, Worker, accounts));
    }

    /// <summary>Offers all due accounts to a worker, begins an attempt for each, and returns the offers.</summary>
    public static async Task<IReadOnlyList<Offer>> OfferAsync(FleetStore store, string worker, int accounts)
    {
        await store.SeenAsync(worker, accounts, "1", false, Stop);
        var offers = await store.FeedAsync((_, _, _) => null, Stop);
        foreach (var offer in offers)
            await store.StartAsync(offer.Account, offer.Attempt, worker, Stop);
        return offers;
    }

    public DatabaseState Open(StateLocation location, Offer? offer = null, string worker = Worker, OlderState? older = null, Action? require = null)
    {
        var by = offer ?? Begun[0];
        return new DatabaseState(Store.States, location, new StateWriter(by.Account, by.Attempt, worker, require ?? (() => { })), TimeProvider.System, older: older);
    }

    public ValueTask DisposeAsync() => Store.DisposeAsync();
}
