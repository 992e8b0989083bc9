using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Imapsync.Tests.Support;

/// <summary>A line between client and server that a test can watch and break: at exact octets, never by the clock.</summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = new();
    private readonly Lock gate = new();
    private readonly List<ProxiedConnection> connections = [];
    private readonly List<Task> pumps = [];
    private readonly Task accepting;
    private readonly int targetPort;
    private long totalFromServer;
    private long callAt = long.MaxValue;
    private Action? call;
    private int cuts;

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
    public long TotalFromServer => Interlocked.Read(ref totalFromServer);

    public int Cuts
    {
        get
        {
            lock (gate)
                return cuts;
        }
    }

    public static FaultProxy Start(int targetPort, FaultRules? rules = null) => new(targetPort, rules ?? new FaultRules());

    /// <summary>Runs <paramref name="action"/> once, when exactly so many octets of the server have been passed on since <see cref="Forget"/>.</summary>
    public void CallAfterFromServer(long octets, Action action)
    {
        lock (gate)
            (callAt, call) = (octets, action);
    }

    /// <summary>Starts the log and the counters anew.</summary>
    public void Forget()
    {
        lock (gate)
        {
            connections.Clear();
            (callAt, call) = (long.MaxValue, null);
            Interlocked.Exchange(ref totalFromServer, 0);
            cuts = 0;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Stop();
        await accepting;
        await Task.WhenAll(pumps);
        listener.Dispose();
        ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!ending.IsCancellationRequested)
        {
            try
            {
                var client = await listener.AcceptSocketAsync(ending.Token);
                pumps.RemoveAll(p => p.IsCompleted);
                pumps.Add(ServeAsync(client));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        var rules = Rules;
        ProxiedConnection connection;
        lock (gate)
        {
            connection = new ProxiedConnection(connections.Count + 1);
            connections.Add(connection);
        }

        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(ending.Token);
        using (client)
        {
            client.NoDelay = server.NoDelay = true;
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, targetPort, over.Token);
                var line = new Line(connection, rules, over);
                await Task.WhenAll(PumpAsync(line, client, server, fromServer: false), PumpAsync(line, server, client, fromServer: true));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
                // One side is gone, or the test is over: the sockets close below.
            }

            if (!rules.CutWithFin && connection.WasCut)
                client.LingerState = new LingerOption(true, 0);
        }
    }

    /// <summary>Reads as it comes and hands on when it is due, so that a delay costs no throughput.</summary>
    private async Task PumpAsync(Line line, Socket from, Socket to, bool fromServer)
    {
        var due = Channel.CreateBounded<(byte[] Octets, long At)>(1024);
        var writing = WriteAsync(line, due.Reader, from, to, fromServer);
        var buffer = new byte[Math.Min(line.Rules.PieceBytes, 64 * 1024)];
        try
        {
            int count;
            while ((count = await from.ReceiveAsync(buffer, line.Over.Token)) > 0)
            {
                var at = TimeProvider.System.GetTimestamp() + (long)(line.Rules.Delay.TotalSeconds * TimeProvider.System.TimestampFrequency);
                await due.Writer.WriteAsync((buffer[..count], at), line.Over.Token);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            await line.Over.CancelAsync();
        }

        due.Writer.Complete();
        await writing;
    }

    private async Task WriteAsync(Line line, ChannelReader<(byte[] Octets, long At)> due, Socket from, Socket to, bool fromServer)
    {
        try
        {
            await foreach (var (octets, at) in due.ReadAllAsync(line.Over.Token))
            {
                var wait = TimeProvider.System.GetElapsedTime(TimeProvider.System.GetTimestamp(), at);
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, TimeProvider.System, line.Over.Token);
                await PassAsync(line, fromServer ? octets : await AnswerAsync(line, octets, from), to, fromServer);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            await line.Over.CancelAsync();
        }
    }

    /// <summary>Answers what the rules answer in the server's place.</summary>
    /// <returns>What is left for the server.</returns>
    private static async Task<ReadOnlyMemory<byte>> AnswerAsync(Line line, byte[] octets, Socket client)
    {
        if (line.Rules.AnswerInstead is not { } answerTo)
            return octets;
        var left = new List<byte>();
        for (var start = 0; start < octets.Length;)
        {
            var lineEnd = Array.IndexOf(octets, (byte)'\n', start) + 1;
            var end = lineEnd == 0 ? octets.Length : lineEnd;
            var text = Encoding.Latin1.GetString(octets, start, end - start).TrimEnd();
            if (text.IndexOf(' ', StringComparison.Ordinal) is > 0 and var blank && answerTo(line.Connection, text[(blank + 1)..]) is { } answer)
                await client.SendAsync(Encoding.Latin1.GetBytes($"{text[..blank]} {answer}\r\n"), line.Over.Token);
            else
                left.AddRange(octets[start..end]);
            start = end;
        }

        return left.ToArray();
    }

    private async Task PassAsync(Line line, ReadOnlyMemory<byte> octets, Socket to, bool fromServer)
    {
        var (connection, rules) = (line.Connection, line.Rules);
        while (!octets.IsEmpty)
        {
            // What was read before the cut must not pass after it.
            line.Over.Token.ThrowIfCancellationRequested();
            var reply = fromServer && rules.CutBeforeAppendReply is not null ? connection.FindAppendReply(octets.Span) : null;
            if (reply is { Start: 0 } && rules.CutBeforeAppendReply!())
            {
                await CutAsync(line);
                continue;
            }

            var passed = fromServer ? connection.FromServer : connection.FromClient;
            var cut = (fromServer ? rules.CutAfterFromServer : rules.CutAfterFromClient) ?? long.MaxValue;
            if (passed >= cut && MayCut(rules))
            {
                await CutAsync(line);
                continue;
            }

            if (fromServer && passed >= (rules.StallAfterFromServer ?? long.MaxValue))
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, line.Over.Token);
            var room = Math.Min(passed < cut ? cut - passed : long.MaxValue, rules.PieceBytes);
            if (fromServer && passed < rules.StallAfterFromServer)
                room = Math.Min(room, rules.StallAfterFromServer.Value - passed);
            if (fromServer)
                room = Math.Min(room, Math.Max(1, Volatile.Read(ref callAt) - TotalFromServer));
            if (reply is { } found)
                room = Math.Min(room, found.Start > 0 ? found.Start : found.End);
            var piece = octets[..(int)Math.Min(room, octets.Length)];
            connection.Count(fromServer, piece.Span);
            await to.SendAsync(piece, line.Over.Token);
            octets = octets[piece.Length..];
            if (fromServer)
                CountTotal(piece.Length);
        }
    }

    private static Task CutAsync(Line line)
    {
        line.Connection.WasCut = true;
        return line.Over.CancelAsync();
    }

    private bool MayCut(FaultRules rules)
    {
        lock (gate)
        {
            if (cuts >= rules.MostCuts)
                return false;
            cuts++;
            return true;
        }
    }

    private void CountTotal(int count)
    {
        Action? now = null;
        lock (gate)
        {
            totalFromServer += count;
            if (totalFromServer >= callAt)
                (now, call, callAt) = (call, null, long.MaxValue);
        }

        now?.Invoke();
    }

    private sealed record Line(ProxiedConnection Connection, FaultRules Rules, CancellationTokenSource Over);
}
