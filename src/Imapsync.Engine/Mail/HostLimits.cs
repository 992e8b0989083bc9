namespace Imapsync.Engine.Mail;

/// <summary>How much of one host all jobs of a process may claim together, as source and as target: an entry of <c>hosts:</c>.</summary>
/// <param name="Host">The name that the entry stands under, in lower case; equal for all endpoints that share the limits.</param>
public sealed record HostLimits(string Host)
{
    /// <summary>Connections open at once. Null: as many as the endpoints allow.</summary>
    public int? Connections { get; init; }

    /// <summary>Messages read from the host or written to it in a second.</summary>
    public double? MessagesPerSecond { get; init; }

    /// <summary>Octets of messages and headers in a second, both ways together.</summary>
    public long? BytesPerSecond { get; init; }

    /// <summary>The pace that messages have to keep, without a budget for a day.</summary>
    public TransferLimits Pace => new() { BytesPerSecond = BytesPerSecond, MessagesPerSecond = MessagesPerSecond };
}
