namespace Imapsync.Tests.Support;

/// <summary>
/// How a bad line misbehaves. Octets are counted for each connection by itself, from its first, and in each direction by
/// itself; a fault that is to strike after N octets strikes after exactly so many.
/// </summary>
public sealed record FaultRules
{
    /// <summary>The connection ends once exactly so many octets have come from the server.</summary>
    public long? CutAfterFromServer { get; init; }

    /// <summary>The connection ends once exactly so many octets have come from the client.</summary>
    public long? CutAfterFromClient { get; init; }

    /// <summary>End with FIN, in good order, in place of RST.</summary>
    public bool CutWithFin { get; init; }

    /// <summary>After so many octets from the server no more of its octets pass, and the connection stays open.</summary>
    public long? StallAfterFromServer { get; init; }

    /// <summary>After so many octets from the client no more of its octets pass, and the connection stays open.</summary>
    public long? StallAfterFromClient { get; init; }

    /// <summary>The first octet inside a TLS record after so many from the server is changed on the way. TLS from the first octet only.</summary>
    public long? CorruptAfterFromServer { get; init; }

    /// <summary>The first octet inside a TLS record after so many from the client is changed on the way. TLS from the first octet only.</summary>
    public long? CorruptAfterFromClient { get; init; }

    /// <summary>Only so many cuts, stalls and changed octets together; then the line is good.</summary>
    public int MostFaults { get; init; } = int.MaxValue;

    /// <summary>
    /// Asked before the tagged OK of each APPEND is passed on, once each: true ends the connection in its place, so that the
    /// server has stored what the client will not hear of. Clear text only.
    /// </summary>
    public Func<bool>? CutBeforeAppendReply { get; init; }

    /// <summary>
    /// Asked for each line of the client: an answer such as <c>NO [SERVERBUG] Internal error</c> is given in the server's place,
    /// which never sees the command; null passes it on. Clear text only, and for commands without literals.
    /// </summary>
    public Func<ProxiedConnection, string, string?>? AnswerInstead { get; init; }

    /// <summary>How long each octet takes, in either direction; throughput is not limited.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>Throughput of each direction of each connection; null for no limit.</summary>
    public int? BytesPerSecond { get; init; }

    /// <summary>Most octets that are passed on in one piece.</summary>
    public int PieceBytes { get; init; } = 64 * 1024;

    internal long CutAfter(bool fromServer) => (fromServer ? CutAfterFromServer : CutAfterFromClient) ?? long.MaxValue;

    internal long StallAfter(bool fromServer) => (fromServer ? StallAfterFromServer : StallAfterFromClient) ?? long.MaxValue;

    internal long CorruptAfter(bool fromServer) => (fromServer ? CorruptAfterFromServer : CorruptAfterFromClient) ?? long.MaxValue;
}
