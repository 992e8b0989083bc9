using Imapsync.Fleet.Listing;

namespace Imapsync.Fleet.Executing;

/// <summary>
/// What carries work to the workers and calls the feeder now and then, by one of them at a time. It holds no truth: what it forgets the
/// feeder offers again, and what it hands out twice is begun once.
/// </summary>
internal interface IFleetExecutor : IAsyncDisposable
{
    /// <summary>Joins the others and begins to work.</summary>
    /// <param name="feed">Called every few seconds, never twice at once, by one worker of all.</param>
    /// <param name="run">Runs an attempt; its task ends with it.</param>
    Task StartAsync(Func<CancellationToken, Task> feed, Func<long, long, Task> run, CancellationToken cancellationToken);

    /// <summary>Has an attempt run, by the worker that the offer names if that worker is available.</summary>
    Task OfferAsync(Offer offer, CancellationToken cancellationToken);

    /// <summary>Accepts no more attempts. Running attempts continue.</summary>
    Task DrainAsync(CancellationToken cancellationToken);
}
