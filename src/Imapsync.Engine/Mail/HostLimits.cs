namespace Imapsync.Engine.Mail;

/// <summary>
/// The limits for one host: an entry of <c>hosts:</c>. All jobs of a process share them, whether the host is their source or target.
/// </summary>
/// <param name="Host">The entry's name in lower case; the same for all endpoints that share the limits.</param>
public sealed record HostLimits(string Host)
{
    /// <summary>How many connections may be open at once. Null: as many as the endpoints allow.</summary>
    public int? Connections { get; init; }

    /// <summary>Messages read from the host or written to it in a second.</summary>
    public double? MessagesPerSecond { get; init; }

    /// <summary>Octets of messages and headers in a second, in both directions together.</summary>
    public long? BytesPerSecond { get; init; }

    /// <summary>The two rates of the host as transfer limits, without a daily budget.</summary>
    public TransferLimits Pace => new() { BytesPerSecond = BytesPerSecond, MessagesPerSecond = MessagesPerSecond };
}
