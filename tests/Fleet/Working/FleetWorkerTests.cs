using System.Collections.Concurrent;
using Imapsync.Fleet.Executing;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Submitting;
using Imapsync.Fleet.Working;
using Imapsync.Tests.Support;
using Microsoft.Extensions.Logging;

namespace Imapsync.Fleet.Tests.Working;

public sealed class FleetWorkerTests
{
    [Fact]
    public async Task Whatever_stops_giving_out_or_beginning_is_logged_as_an_error()
    {
        using var dir = new TempDir();
        await using var store = await FleetStore.OpenFileAsync(dir["fleet.db"], null, TestContext.Current.CancellationToken);
        var account = new NewAccount("a", "m", "s", "t", "old.example", "new.example", 1, 1, "");
        await store.SubmitAsync(new NewBatch("nightly", "job", 0, "0 0 2 * * ?", "Nowhere/City", false) { NextRun = 1 }, [account], TestContext.Current.CancellationToken);
        var (executor, log) = (new FailingExecutor(), new ErrorLog());
        var reader = new BatchReader(Seal.Open(dir["keys"]), new BatchRules(false, [], new Dictionary<string, string>()));
        var runner = new AccountRunner(reader, store, new AttemptDirectories(dir["state"]), "w", TimeProvider.System);
        await using var worker = new FleetWorker(store, executor, runner, new WorkerOptions("w", 1, "1", TimeSpan.Zero), TimeProvider.System, log);
        await worker.StartAsync(TestContext.Current.CancellationToken);
        await executor.Feed(TestContext.Current.CancellationToken);
        Assert.Contains(log.Errors, e => e.Contains("Nowhere/City", StringComparison.Ordinal));
        Assert.Contains(log.Errors, e => e.Contains("can't be given out", StringComparison.Ordinal));
        await store.DisposeAsync();
        Directory.Delete(dir.Path, recursive: true);
        await executor.Run(1, 1);
        Assert.Contains(log.Errors, e => e.Contains("account 1, attempt 1", StringComparison.Ordinal));
    }

    /// <summary>
    /// If a defect did not end the attempt as failed, the account would be started again for ever, each time its lease expires.
    /// </summary>
    [Fact]
    public async Task A_defect_ends_the_attempt_as_one_that_failed()
    {
        using var dir = new TempDir();
        await using var store = await FleetStore.OpenFileAsync(dir["fleet.db"], null, TestContext.Current.CancellationToken);
        var (executor, log, seal) = (new FailingExecutor(), new ErrorLog(), Seal.Open(dir["keys"]));
        // The account's row can be decrypted but not parsed, as if another version of the program had written it.
        var account = new NewAccount("a", "m", "s", "t", "old.example", "new.example", 1, 1, seal.CloseCells("no JSON"));
        await store.SubmitAsync(new NewBatch("b", seal.CloseJob("jobs: []"), 0, null, "UTC", false), [account], TestContext.Current.CancellationToken);
        var runner = new AccountRunner(new BatchReader(seal, new BatchRules(false, [], new Dictionary<string, string>())), store, new AttemptDirectories(dir["state"]), "w", TimeProvider.System);
        await using var worker = new FleetWorker(store, executor, runner, new WorkerOptions("w", 1, "1", TimeSpan.Zero), TimeProvider.System, log);
        await worker.StartAsync(TestContext.Current.CancellationToken);
        await executor.Feed(TestContext.Current.CancellationToken);
        await executor.Run(1, 1);
        Assert.Contains(log.Errors, e => e.Contains("account 1, attempt 1", StringComparison.Ordinal));
        var line = (await store.ReadAccountAsync(1, TestContext.Current.CancellationToken))!;
        Assert.Equal(AccountStatus.Due, line.Status);
        Assert.Contains("a defect of imapsync-fleet", line.Problem, StringComparison.Ordinal);
    }

    private sealed class FailingExecutor : IFleetExecutor
    {
        public Func<CancellationToken, Task> Feed { get; private set; } = null!;

        public Func<long, long, Task> Run { get; private set; } = null!;

        public Task StartAsync(Func<CancellationToken, Task> feed, Func<long, long, Task> run, CancellationToken cancellationToken)
        {
            (Feed, Run) = (feed, run);
            return Task.CompletedTask;
        }

        public Task OfferAsync(Offer offer, CancellationToken cancellationToken) => throw new InvalidOperationException("the executor has no room");

        public Task DrainAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class ErrorLog : ILogger<FleetWorker>
    {
        private readonly ConcurrentQueue<string> errors = [];

        public IReadOnlyCollection<string> Errors => errors;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel == LogLevel.Error)
                errors.Enqueue(formatter(state, exception));
        }
    }
}
