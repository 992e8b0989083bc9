using System.Net;
using System.Net.Sockets;

namespace Imapsync.Tests.Support;

/// <summary>What a line did to a connection.</summary>
public enum FaultKind
{
    /// <summary>Ended it with RST.</summary>
    Reset,

    /// <summary>Ended it with FIN.</summary>
    Fin,

    /// <summary>Ended it in place of the reply to an APPEND.</summary>
    LostReply,

    Stall,

    /// <summary>Changed an octet inside a TLS record.</summary>
    Corruption,
}

/// <summary>
/// A line between client and server that a test can watch and break: at exact octets, never by the clock. A connection that
/// broke is let go by the server before anything gets through over another, new or open already: what the server does with
/// the last command it was sent is done by then, as it is in life by the time a client has waited before it tries again.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = new();
    private readonly Lock gate = new();
    private readonly List<ProxiedConnection> connections = [];
    private readonly List<ProxiedLine> lines = [];
    private readonly List<FaultKind> faults = [];
    private readonly List<Task> serving = [];
    private readonly OctetAlarm fromServer = new();
    private readonly OctetAlarm fromClient = new();
    private readonly Task accepting;
    private readonly int targetPort;
    private int strikes;
    private int mostAtOnce;

    private FaultProxy(int targetPort, FaultRules rules)
    {
        this.targetPort = targetPort;
        Rules = rules;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>For connections made from now on.</summary>
    public FaultRules Rules { get; set; }

    /// <summary>Gives each new connection rules of its own, in place of <see cref="Rules"/>. Not called concurrently.</summary>
    public Func<FaultRules>? NextRules { get; set; }

    public IReadOnlyList<ProxiedConnection> Connections
    {
        get
        {
            lock (gate)
                return [.. connections];
        }
    }

    /// <summary>Every command of every connection, without its tag.</summary>
    public IEnumerable<string> Commands =>
        Connections.SelectMany(c => c.Commands).Select(c => c[(c.IndexOf(' ', StringComparison.Ordinal) + 1)..]);

    /// <summary>Octets from the server over all connections since the start or <see cref="Forget"/>.</summary>
    public long TotalFromServer => fromServer.Total;

    /// <summary>Octets from the client over all connections since the start or <see cref="Forget"/>.</summary>
    public long TotalFromClient => fromClient.Total;

    /// <summary>What struck, in order, since the start or <see cref="Forget"/>.</summary>
    public IReadOnlyList<FaultKind> Faults
    {
        get
        {
            lock (gate)
                return [.. faults];
        }
    }

    /// <summary>The most connections that clients had open at one time. One that a client has closed does not count, whether or not the server knows.</summary>
    public int MostAtOnce => Volatile.Read(ref mostAtOnce);

    public static FaultProxy Start(int targetPort, FaultRules? rules = null) => new(targetPort, rules ?? new FaultRules());

    /// <summary>Runs <paramref name="action"/> once, when exactly so many octets of the server have been passed on since <see cref="Forget"/>.</summary>
    public void CallAfterFromServer(long octets, Action action) => fromServer.Set(octets, action);

    /// <summary>Runs <paramref name="action"/> once, when exactly so many octets of the client have been passed on since <see cref="Forget"/>.</summary>
    public void CallAfterFromClient(long octets, Action action) => fromClient.Set(octets, action);

    /// <summary>Starts the log and the counters anew.</summary>
    public void Forget()
    {
        lock (gate)
        {
            connections.Clear();
            faults.Clear();
            strikes = 0;
        }

        fromServer.Reset();
        fromClient.Reset();
    }

    /// <summary>Done when the server has let go of every connection. Only for when no client has one open any more.</summary>
    public Task SettledAsync()
    {
        lock (gate)
            return Task.WhenAll(lines.Select(l => l.Done));
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(serving);
        listener.Dispose();
        ending.Dispose();
    }

    internal void Note(FaultKind kind)
    {
        lock (gate)
            faults.Add(kind);
    }

    /// <summary>True, and counted, while the rules allow one more fault.</summary>
    internal bool MayStrike(FaultRules rules)
    {
        lock (gate)
            return strikes < rules.MostFaults && ++strikes > 0;
    }

    /// <summary>Done when the server has let go of every connection but <paramref name="line"/> that has lost its client.</summary>
    internal Task OthersSettledAsync(ProxiedLine? line)
    {
        lock (gate)
            return Task.WhenAll(lines.Where(l => l != line && l.IsOver).Select(l => l.Done));
    }

    internal long Room(bool ofServer) => (ofServer ? fromServer : fromClient).Room;

    internal void Count(bool ofServer, int octets) => (ofServer ? fromServer : fromClient).Count(octets);

    private async Task AcceptAsync()
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptSocketAsync(ending.Token);
                serving.RemoveAll(p => p.IsCompleted);
                serving.Add(ServeAsync(client, NextRules?.Invoke() ?? Rules));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client, FaultRules rules)
    {
        await OthersSettledAsync(null);
        var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.NoDelay = server.NoDelay = true;
        ProxiedConnection connection;
        lock (gate)
        {
            connection = new ProxiedConnection(connections.Count + 1);
            connections.Add(connection);
        }

        try
        {
            await server.ConnectAsync(IPAddress.Loopback, targetPort, ending.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            client.Dispose();
            server.Dispose();
            return;
        }

        using var line = new ProxiedLine(this, connection, rules, client, server, ending.Token);
        lock (gate)
        {
            lines.Add(line);
            mostAtOnce = Math.Max(mostAtOnce, lines.Count(l => !l.IsOver));
        }

        await line.ServeAsync();
        lock (gate)
            lines.Remove(line);
    }
}
