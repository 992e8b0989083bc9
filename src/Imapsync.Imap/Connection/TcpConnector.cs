using System.Net;
using System.Net.Sockets;

namespace Imapsync.Imap.Connection;

/// <summary>
/// Connects to whichever of a host's addresses answers first (similar to RFC 8305). If an address fails or is silent for 250 ms, the next
/// one is tried too, so that a dead address does not use up the whole timeout.
/// </summary>
internal static class TcpConnector
{
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(250);

    public static async ValueTask<Stream> ConnectAsync(ImapClientOptions options, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(options.ConnectTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var addresses = IPAddress.TryParse(options.Host, out var address) ? [address] : await Dns.GetHostAddressesAsync(options.Host, options.Addresses, either.Token);
            return addresses is [var only]
                ? await ConnectAsync(only, options.Port, either.Token)
                : await RaceAsync(addresses, (a, c) => ConnectAsync(a, options.Port, c), options.Time, either.Token);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var reason = e is SocketException ? e.Message : $"no answer in {options.ConnectTimeout.TotalSeconds:0.###} s";
            throw new ImapConnectionException(ConnectionFailure.Network, $"{options.Address} can't be reached: {reason}", e) { Unreachable = reason };
        }
    }

    /// <summary>Returns the first connection that succeeds; the other attempts are cancelled and closed.</summary>
    /// <param name="addresses">Addresses in order of preference.</param>
    /// <exception cref="SocketException">No address connects; this is the last failure.</exception>
    internal static async Task<T> RaceAsync<T>(
        IReadOnlyList<IPAddress> addresses, Func<IPAddress, CancellationToken, Task<T>> connect, TimeProvider time, CancellationToken cancellationToken)
        where T : IAsyncDisposable
    {
        using var won = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var running = new List<Task<T>>();
        Exception? failure = null;
        try
        {
            for (var next = 0; next < addresses.Count || running.Count > 0;)
            {
                if (next < addresses.Count)
                    running.Add(connect(addresses[next++], won.Token));
                Task ended = Task.WhenAny(running);
                await Task.WhenAny(next < addresses.Count ? [ended, Task.Delay(HeadStart, time, won.Token)] : [ended]);
                while (running.Find(r => r.IsCompleted) is { } done)
                {
                    running.Remove(done);
                    if (done.IsCompletedSuccessfully)
                        return await done;
                    failure = done.Exception?.InnerException ?? new OperationCanceledException(cancellationToken);
                }

                cancellationToken.ThrowIfCancellationRequested();
            }

            throw failure ?? new SocketException((int)SocketError.HostNotFound);
        }
        finally
        {
            await won.CancelAsync();
            foreach (var loser in running)
                _ = CloseAsync(loser);
        }
    }

    private static async Task CloseAsync<T>(Task<T> loser)
        where T : IAsyncDisposable
    {
        await ((Task)loser).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (loser.IsCompletedSuccessfully)
            await (await loser).DisposeAsync();
    }

    private static async Task<Stream> ConnectAsync(IPAddress address, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            // Closing the socket then drops unsent octets. Otherwise the system would go on sending a message from an aborted connection
            // while another connection appends the same message again. After LOGOUT nothing is left to send.
            socket.LingerState = new LingerOption(true, 0);
            await socket.ConnectAsync(new IPEndPoint(address, port), cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
