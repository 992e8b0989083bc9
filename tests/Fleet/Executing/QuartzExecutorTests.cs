using Imapsync.Fleet.Executing;
using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Tests.Executing;

[Collection(PostgresCollection.Name)]
public sealed class QuartzExecutorTests(PostgresFixture postgres)
{
    private const int Slots = 2;

    /// <summary>
    /// The feeder chooses the accounts to run next, and may offer more accounts than there are slots. The surplus accounts wait for a slot
    /// without blocking the thread on which the feeder runs.
    /// </summary>
    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_more_accounts_are_at_work_than_there_are_slots_though_the_feeder_goes_on(bool isShared)
    {
        var stop = TestContext.Current.CancellationToken;
        var file = Path.GetTempFileName();
        await using var store = isShared
            ? await FleetStore.OpenPostgresAsync(await postgres.NewDatabaseAsync(), null, stop)
            : await FleetStore.OpenFileAsync(file, null, stop);
        var (now, most, feeds) = (0, 0, 0);
        using var release = new SemaphoreSlim(0);
        var fedOften = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var all = new CountdownEvent(5);
        await using (var executor = new QuartzExecutor("one", Slots, store.PostgresConnectionString, work => store.AloneAsync(work, CancellationToken.None)))
        {
            await executor.StartAsync(FeedAsync, RunAsync, stop);
            for (var account = 1; account <= 5; account++)
                await executor.OfferAsync(new Offer(account, 1, "one"), stop);
            await full.Task.WaitAsync(stop);
            Interlocked.Exchange(ref feeds, 0);
            await fedOften.Task.WaitAsync(stop);
            Assert.Equal(Slots, most);
            release.Release(5);
            // The remaining accounts are run when slots become free.
            await Task.Run(() => all.Wait(stop), stop);
            Assert.Equal(Slots, most);
        }

        File.Delete(file);
        all.Dispose();

        Task FeedAsync(CancellationToken cancellationToken)
        {
            // The feeder has been called three times since all slots were taken. If a thread were free, another account would have started by now.
            if (full.Task.IsCompleted && Interlocked.Increment(ref feeds) >= 3)
                fedOften.TrySetResult();
            return Task.CompletedTask;
        }

        async Task RunAsync(long account, long attempt)
        {
            var at = Interlocked.Increment(ref now);
            for (var seen = most; at > seen; seen = most)
                Interlocked.CompareExchange(ref most, at, seen);
            if (at >= Slots)
                full.TrySetResult();
            await release.WaitAsync(stop);
            Interlocked.Decrement(ref now);
            all.Signal();
        }
    }
}
