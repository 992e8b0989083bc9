using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Imapsync.Servers.Tests.World;

/// <summary>
/// A proxy that changes the server's lines and can cut connections. After a cut, the server finishes its command before another connection
/// gets through.
/// </summary>
internal sealed class LyingLine : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = new();
    private readonly List<Task> serving = [];
    private readonly Lock gate = new();
    private readonly Task accepting;
    private readonly int serverPort;
    private Task settling = Task.CompletedTask;
    private int linesLeft = int.MaxValue;
    private int cutsLeft;
    private int interval;
    private Action? strike;

    public LyingLine(int serverPort)
    {
        this.serverPort = serverPort;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>The function that changes each line of the server; if it returns null the line is dropped.</summary>
    public Func<string, string?>? Lie { get; set; }

    /// <summary>
    /// Cuts a connection whenever the server has sent the given number of lines since the last cut, the given number of times.
    /// </summary>
    public void CutAfter(int lines, int times) => (linesLeft, cutsLeft, interval, strike) = (lines, times, lines, null);

    /// <summary>Calls an action, instead of cutting, when the server has sent the given number of lines.</summary>
    public void CallAfter(int lines, Action action) => (linesLeft, cutsLeft, interval, strike) = (lines, 1, lines, action);

    public void BeHonest() => (Lie, linesLeft, cutsLeft, strike) = (null, int.MaxValue, 0, null);

    /// <summary>Waits until the server has closed every connection.</summary>
    public async Task SettledAsync()
    {
        Task[] all;
        lock (gate)
        {
            all = [.. serving];
            serving.Clear();
        }

        await Task.WhenAll(all);
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Dispose();
        await accepting;
        await SettledAsync();
        ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptSocketAsync(ending.Token);
                lock (gate)
                    serving.Add(ServeAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The proxy is being disposed.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        await Task.Yield();
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        var over = new TaskCompletionSource();
        try
        {
            await Broken();
            await server.ConnectAsync(IPAddress.Loopback, serverPort, ending.Token);
            await Task.WhenAll(UpAsync(client, server), DownAsync(server, client, over));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It doesn't matter which side ended the connection.
        }
        finally
        {
            client.Dispose();
            over.TrySetResult();
        }
    }

    private Task Broken()
    {
        lock (gate)
            return settling;
    }

    private async Task UpAsync(Socket client, Socket server)
    {
        var block = new byte[32 * 1024];
        try
        {
            while (await client.ReceiveAsync(block, ending.Token) is > 0 and var count)
            {
                await Broken();
                for (var sent = 0; sent < count;)
                    sent += await server.SendAsync(block.AsMemory(sent, count - sent), ending.Token);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The connection is broken. The shutdown below tells the server that it has ended.
        }

        try
        {
            server.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The connection has gone already.
        }
    }

    private async Task DownAsync(Socket server, Socket client, TaskCompletionSource over)
    {
        var (block, framer, isCut) = (new byte[32 * 1024], new LineFramer(), false);
        while (true)
        {
            int count;
            try
            {
                count = await server.ReceiveAsync(block, ending.Token);
            }
            catch (SocketException)
            {
                count = 0;
            }

            if (count == 0)
                break;
            var octets = framer.Pass(block.AsSpan(0, count), Lie, line => isCut = isCut || IsTimeToCut(line));
            if (isCut)
            {
                // The client gets nothing more. Keep reading until the server has noticed that the connection has ended.
                lock (gate)
                    settling = Task.WhenAll(settling, over.Task);
                client.Close(0);
                continue;
            }

            try
            {
                for (var sent = 0; sent < octets.Length;)
                    sent += await client.SendAsync(octets.AsMemory(sent), ending.Token);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                isCut = true;
            }
        }

        // Close both ends, whichever ended first.
        client.Close();
    }

    private bool IsTimeToCut(string line)
    {
        lock (gate)
        {
            if (cutsLeft == 0 || line.Length == 0 || --linesLeft > 0)
                return false;
            (cutsLeft, linesLeft) = (cutsLeft - 1, interval);
            strike?.Invoke();
            return strike is null;
        }
    }
}

/// <summary>Splits the server's octets into lines and literals; lines may be changed, literals never are.</summary>
internal sealed class LineFramer
{
    private readonly List<byte> line = [];
    private long literal;

    public byte[] Pass(ReadOnlySpan<byte> octets, Func<string, string?>? lie, Action<string> seen)
    {
        var output = new List<byte>(octets.Length + 64);
        while (!octets.IsEmpty)
        {
            if (literal > 0)
            {
                var take = (int)Math.Min(literal, octets.Length);
                output.AddRange(octets[..take]);
                octets = octets[take..];
                literal -= take;
                continue;
            }

            var end = octets.IndexOf((byte)'\n');
            line.AddRange(end < 0 ? octets : octets[..(end + 1)]);
            octets = end < 0 ? [] : octets[(end + 1)..];
            if (end < 0)
                break;
            var text = Encoding.Latin1.GetString([.. line]).TrimEnd('\n').TrimEnd('\r');
            line.Clear();
            var open = text.LastIndexOf('{');
            if (open >= 0 && text.EndsWith('}') && long.TryParse(text.AsSpan(open + 1, text.Length - open - 2), out var length))
                literal = length;
            seen(text);
            var told = lie is null ? text : lie(text);
            if (told is not null)
                output.AddRange(Encoding.Latin1.GetBytes(told + "\r\n"));
        }

        return [.. output];
    }
}
