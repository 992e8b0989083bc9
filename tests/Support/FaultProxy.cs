using System.Net;
using System.Net.Sockets;

namespace Imapsync.Tests.Support;

/// <summary>The fault that the proxy injected into a connection.</summary>
public enum FaultKind
{
    /// <summary>The connection was ended with RST.</summary>
    Reset,

    /// <summary>The connection was ended with FIN.</summary>
    Fin,

    /// <summary>The connection was ended in place of passing on the reply to an APPEND.</summary>
    LostReply,

    Stall,

    /// <summary>An octet inside a TLS record was changed.</summary>
    Corruption,
}

/// <summary>
/// A proxy with which a test observes and breaks connections at exact octets. After a break, other connections pass nothing until the
/// server has closed its end of the broken one. So the server has finished its last command, as in practice before a client retries.
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

    /// <summary>The rules for connections made from now on.</summary>
    public FaultRules Rules { get; set; }

    /// <summary>Returns the rules of each new connection, in place of <see cref="Rules"/>. Not called concurrently.</summary>
    public Func<FaultRules>? NextRules { get; set; }

    public IReadOnlyList<ProxiedConnection> Connections
    {
        get
        {
            lock (gate)
                return [.. connections];
        }
    }

    /// <summary>All commands of all connections, without their tags.</summary>
    public IEnumerable<string> Commands =>
        Connections.SelectMany(c => c.Commands).Select(c => c[(c.IndexOf(' ', StringComparison.Ordinal) + 1)..]);

    /// <summary>Octets from the server over all connections since the start or <see cref="Forget"/>.</summary>
    public long TotalFromServer => fromServer.Total;

    /// <summary>Octets from the client over all connections since the start or <see cref="Forget"/>.</summary>
    public long TotalFromClient => fromClient.Total;

    /// <summary>The injected faults, in order, since the start or <see cref="Forget"/>.</summary>
    public IReadOnlyList<FaultKind> Faults
    {
        get
        {
            lock (gate)
                return [.. faults];
        }
    }

    /// <summary>
    /// The most connections that clients had open at once. One closed by its client does not count, even if the server has not noticed.
    /// </summary>
    public int MostAtOnce => Volatile.Read(ref mostAtOnce);

    public static FaultProxy Start(int targetPort, FaultRules? rules = null) => new(targetPort, rules ?? new FaultRules());

    /// <summary>
    /// Runs <paramref name="action"/> once, when exactly this many octets from the server have passed since <see cref="Forget"/>.
    /// </summary>
    public void CallAfterFromServer(long octets, Action action) => fromServer.Set(octets, action);

    /// <summary>
    /// Runs <paramref name="action"/> once, when exactly this many octets from the client have passed since <see cref="Forget"/>.
    /// </summary>
    public void CallAfterFromClient(long octets, Action action) => fromClient.Set(octets, action);

    /// <summary>Clears the log and resets the counters.</summary>
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

    /// <summary>Waits until the server has closed every connection. Call it only when no client has a connection open.</summary>
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

    /// <summary>Returns whether the rules allow one more fault, and if so counts it.</summary>
    internal bool MayStrike(FaultRules rules)
    {
        lock (gate)
            return strikes < rules.MostFaults && ++strikes > 0;
    }

    /// <summary>
    /// Waits until the server has closed all connections, other than <paramref name="line"/>, that their clients have closed.
    /// </summary>
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
