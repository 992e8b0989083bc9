using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Executing;

/// <summary>
/// Distributes attempts to the workers. Regularly calls the feeder (which chooses the accounts to run next) on one worker at a time. If an
/// attempt is lost, the feeder offers the account again. An attempt that is handed out twice is begun only once.
/// </summary>
internal interface IFleetExecutor : IAsyncDisposable
{
    /// <summary>Joins the executors of the other workers and begins to work.</summary>
    /// <param name="feed">Called every few seconds on one of the workers, and never on two at the same time.</param>
    /// <param name="run">Runs an attempt, given the numbers of account and attempt. The task completes when the attempt has ended.</param>
    Task StartAsync(Func<CancellationToken, Task> feed, Func<long, long, Task> run, CancellationToken cancellationToken);

    /// <summary>Makes a worker run an attempt: the one named in the offer, or another if the named one is not available.</summary>
    Task OfferAsync(Offer offer, CancellationToken cancellationToken);

    /// <summary>Accepts no more attempts. Running attempts continue.</summary>
    Task DrainAsync(CancellationToken cancellationToken);
}
