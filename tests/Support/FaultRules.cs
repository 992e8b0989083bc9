namespace Imapsync.Tests.Support;

/// <summary>The faults to inject into connections. Octets are counted from 0 for each connection and direction.</summary>
public sealed record FaultRules
{
    /// <summary>The connection ends once exactly this many octets have come from the server.</summary>
    public long? CutAfterFromServer { get; init; }

    /// <summary>The connection ends once exactly this many octets have come from the client.</summary>
    public long? CutAfterFromClient { get; init; }

    /// <summary>Whether to end the connection with a TCP FIN instead of an RST.</summary>
    public bool CutWithFin { get; init; }

    /// <summary>After this many octets from the server, the proxy passes no more on. The connection stays open.</summary>
    public long? StallAfterFromServer { get; init; }

    /// <summary>After this many octets from the client, the proxy passes no more on. The connection stays open.</summary>
    public long? StallAfterFromClient { get; init; }

    /// <summary>After this many octets from the server, changes the next octet inside a TLS record. Requires implicit TLS.</summary>
    public long? CorruptAfterFromServer { get; init; }

    /// <summary>After this many octets from the client, changes the next octet inside a TLS record. Requires implicit TLS.</summary>
    public long? CorruptAfterFromClient { get; init; }

    /// <summary>The maximum number of cuts, stalls and changed octets in total; further faults are not injected.</summary>
    public int MostFaults { get; init; } = int.MaxValue;

    /// <summary>
    /// Called before the tagged OK of each APPEND. True ends the connection instead, so that the server has stored a message for which the
    /// client gets no reply. Clear text only.
    /// </summary>
    public Func<bool>? CutBeforeAppendReply { get; init; }

    /// <summary>
    /// Called for each line from the client. Returns a reply such as <c>NO [SERVERBUG] Internal error</c>, and the server never gets the
    /// line; null passes the line on. Only for clear text and commands without literals.
    /// </summary>
    public Func<ProxiedConnection, string, string?>? AnswerInstead { get; init; }

    /// <summary>The latency added to each octet in either direction; the latency does not limit the throughput.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The throughput of each direction of each connection; null for no limit.</summary>
    public int? BytesPerSecond { get; init; }

    /// <summary>The maximum number of octets that the proxy passes on in one write.</summary>
    public int PieceBytes { get; init; } = 64 * 1024;

    internal long CutAfter(bool fromServer) => (fromServer ? CutAfterFromServer : CutAfterFromClient) ?? long.MaxValue;

    internal long StallAfter(bool fromServer) => (fromServer ? StallAfterFromServer : StallAfterFromClient) ?? long.MaxValue;

    internal long CorruptAfter(bool fromServer) => (fromServer ? CorruptAfterFromServer : CorruptAfterFromClient) ?? long.MaxValue;
}
