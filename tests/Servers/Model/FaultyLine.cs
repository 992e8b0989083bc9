using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Model;

/// <summary>The proxy between the job and one of its accounts. Draws the faults of each run at random.</summary>
internal sealed class FaultyLine : IAsyncDisposable
{
    private readonly Random random;
    private readonly DovecotServer server;
    private readonly string user;
    private readonly TlsMode tls;

    public FaultyLine(Random random, DovecotServer server, string user)
    {
        (this.random, this.server, this.user) = (random, server, user);
        tls = random.Next(10) switch { < 4 => TlsMode.Implicit, 4 => TlsMode.StartTls, _ => TlsMode.None };
        Proxy = FaultProxy.Start(tls == TlsMode.Implicit ? server.TlsPort : server.Port);
        Endpoint = new ImapEndpoint("127.0.0.1", Proxy.Port, tls, user)
        {
            Password = new KnownSecret(server.Password),
            TlsCaFile = server.Authority.CaFile,
            Connections = random.Next(1, 4),
        };
    }

    public FaultProxy Proxy { get; }

    public ImapEndpoint Endpoint { get; }

    /// <summary>
    /// How the proxy passes octets on in the next run: good, split, limited or delayed. Faults such as cut connections come in addition.
    /// </summary>
    public string Manner { get; private set; } = "good";

    /// <summary>The endpoint's YAML lines in a job file.</summary>
    public string Lines(string passwordVariable) => $"""
        url: {(tls == TlsMode.Implicit ? "imaps" : "imap")}://{user}@127.0.0.1:{Proxy.Port}
              tls: {(tls == TlsMode.None ? "none" : "required")}
              password_env: {passwordVariable}
              connections: {Endpoint.Connections}
        """ + (tls == TlsMode.None ? "" : $"\n      tls_ca_file: {server.Authority.CaFile}");

    /// <summary>Draws the faults of the next run's connections.</summary>
    /// <param name="octets">The approximate number of octets that the whole job transfers.</param>
    public void Trouble(long octets)
    {
        Proxy.Forget();
        var manner = random.Next(12) switch
        {
            0 => new FaultRules { PieceBytes = random.Next(1, 30) },
            1 => new FaultRules { BytesPerSecond = random.Next(200_000, 2_000_000) },
            2 => new FaultRules { Delay = TimeSpan.FromMilliseconds(random.Next(1, 8)) },
            _ => new FaultRules(),
        };
        Manner = manner switch { { PieceBytes: < 30 } => "split", { BytesPerSecond: not null } => "limited", { Delay.Ticks: > 0 } => "delayed", _ => "good" };
        var most = random.Next(8) == 0 ? 30 : random.Next(1, 5);
        var kind = random.Next(7);
        Proxy.NextRules = kind switch
        {
            0 => () => manner,
            1 => () => manner with { MostFaults = 1, StallAfterFromServer = Place(octets) },
            2 => () => manner with { MostFaults = 1, StallAfterFromClient = Place(octets) },
            3 when tls == TlsMode.None => () => manner with { CutBeforeAppendReply = LostReply(most) },
            3 or 4 when tls == TlsMode.Implicit => () => Either(manner with { MostFaults = most }, Place(octets), (r, at) => r with { CorruptAfterFromServer = at }, (r, at) => r with { CorruptAfterFromClient = at }),
            _ => () => Either(manner with { MostFaults = most, CutWithFin = random.Next(2) == 0 }, Place(octets), (r, at) => r with { CutAfterFromServer = at }, (r, at) => r with { CutAfterFromClient = at }),
        };
    }

    public void Mend()
    {
        Proxy.Forget();
        (Proxy.NextRules, Manner) = (null, "good");
    }

    /// <summary>
    /// Returns a random number of octets after which a fault occurs. Small and large orders of magnitude are equally likely.
    /// </summary>
    public long Place(long octets) => (long)Math.Exp(random.NextDouble() * Math.Log(Math.Max(1000, octets)));

    public ValueTask DisposeAsync() => Proxy.DisposeAsync();

    private static Func<bool> LostReply(int most)
    {
        var lost = 0;
        return () => lost++ < most;
    }

    private FaultRules Either(FaultRules rules, long at, Func<FaultRules, long, FaultRules> one, Func<FaultRules, long, FaultRules> other) =>
        random.Next(2) == 0 ? one(rules, at) : other(rules, at);
}
