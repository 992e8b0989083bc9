using System.Net;
using System.Net.Sockets;
using Imapsync.Engine.Mail;
using Imapsync.Imap;
using MailKit.Net.Proxy;
using MailKit.Security;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>Makes network connections other than plain TCP: through a proxy or a command.</summary>
internal static class RouteDialer
{
    /// <returns>Null where the client makes a plain TCP connection itself.</returns>
    public static Func<CancellationToken, ValueTask<Stream>>? For(ServerEndpoint endpoint, TimeProvider time) => endpoint.Route switch
    {
        { TunnelCommand: { } command } => _ => ValueTask.FromResult<Stream>(TunnelStream.Start(command)),
        { Proxy: { } proxy } => c => ConnectAsync(endpoint, proxy, time, c),
        _ => null,
    };

    private static async ValueTask<Stream> ConnectAsync(ServerEndpoint endpoint, ProxyServer proxy, TimeProvider time, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(endpoint.Timeouts.Connect, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var client = await ClientAsync(proxy, either.Token);
            var stream = await client.ConnectAsync(endpoint.Host, endpoint.Port, either.Token);
            if (stream is NetworkStream network)
            {
                // As on a direct connection, closing the socket discards octets that were not sent yet.
                network.Socket.NoDelay = true;
                network.Socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                network.Socket.LingerState = new LingerOption(true, 0);
            }

            return stream;
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or ProxyProtocolException or AuthenticationException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var reason = e is OperationCanceledException ? $"no answer in {endpoint.Timeouts.Connect.TotalSeconds:0.###} s" : e.Message;
            var text = $"through the proxy {proxy}: {reason}";
            throw new ImapConnectionException(ConnectionFailure.Network, $"{endpoint.Address} can't be reached {text}", e) { Unreachable = text };
        }
    }

    private static async Task<IProxyClient> ClientAsync(ProxyServer proxy, CancellationToken cancellationToken)
    {
        var secret = proxy.Password is null ? "" : (await proxy.Password.ReadAsync(cancellationToken)).Reveal();
        var credentials = proxy.User is null ? null : new NetworkCredential(proxy.User, secret);
        return (proxy.Protocol, credentials) switch
        {
            (ProxyProtocol.Socks5, null) => new Socks5Client(proxy.Host, proxy.Port),
            (ProxyProtocol.Socks5, _) => new Socks5Client(proxy.Host, proxy.Port, credentials),
            (_, null) => new HttpProxyClient(proxy.Host, proxy.Port),
            _ => new HttpProxyClient(proxy.Host, proxy.Port, credentials),
        };
    }
}
