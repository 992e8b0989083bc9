using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Executing;

/// <summary>
/// Distributes attempts to the workers, and regularly calls the feeder (which chooses the accounts to run next) on one worker at a time. An executor
/// need not be reliable: if it loses an attempt, the feeder offers the account again, and an attempt that is handed out twice is begun only once.
/// </summary>
internal interface IFleetExecutor : IAsyncDisposable
{
    /// <summary>Joins the executors of the other workers and begins to work.</summary>
    /// <param name="feed">Called every few seconds on one of the workers, and never on two at the same time.</param>
    /// <param name="run">Runs an attempt, given the account's and the attempt's number. Its task completes when the attempt has ended.</param>
    Task StartAsync(Func<CancellationToken, Task> feed, Func<long, long, Task> run, CancellationToken cancellationToken);

    /// <summary>Makes a worker run an attempt: the worker that the offer names, or another one if the named worker is not available.</summary>
    Task OfferAsync(Offer offer, CancellationToken cancellationToken);

    /// <summary>Accepts no more attempts. Running attempts continue.</summary>
    Task DrainAsync(CancellationToken cancellationToken);
}
