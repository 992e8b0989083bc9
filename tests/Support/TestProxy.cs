using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>A SOCKS 5 or HTTP CONNECT proxy on loopback. It requires the password, if set, and connects only to one port.</summary>
public sealed class TestProxy : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopped = new();
    private readonly ConcurrentBag<string> asked = [];
    private readonly Task accepting;
    private readonly bool isHttp;
    private readonly (string User, string Password)? account;
    private readonly int target;

    private TestProxy(bool isHttp, int target, (string User, string Password)? account)
    {
        (this.isHttp, this.target, this.account) = (isHttp, target, account);
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>The hosts that clients asked to connect to, as they wrote them.</summary>
    public IReadOnlyCollection<string> Asked => asked;

    public static TestProxy Socks5(int target, (string User, string Password)? account = null) => new(isHttp: false, target, account);

    public static TestProxy Http(int target, (string User, string Password)? account = null) => new(isHttp: true, target, account);

    public async ValueTask DisposeAsync()
    {
        await stopped.CancelAsync();
        listener.Dispose();
        await accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopped.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!stopped.IsCancellationRequested)
        {
            var client = await listener.AcceptTcpClientAsync(stopped.Token);
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var near = client;
        near.NoDelay = true;
        try
        {
            var stream = near.GetStream();
            if (!await (isHttp ? WelcomeHttpAsync(stream) : WelcomeSocksAsync(stream)))
                return;
            using var far = new TcpClient { NoDelay = true };
            await far.ConnectAsync(IPAddress.Loopback, target, stopped.Token);
            var beyond = far.GetStream();
            await Task.WhenAny(stream.CopyToAsync(beyond, stopped.Token), beyond.CopyToAsync(stream, stopped.Token));
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // The client or the server has disconnected.
        }
    }

    private async Task<bool> WelcomeHttpAsync(NetworkStream stream)
    {
        var head = new StringBuilder();
        var octet = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            await stream.ReadExactlyAsync(octet, stopped.Token);
            head.Append((char)octet[0]);
        }

        var lines = head.ToString().Split("\r\n");
        var place = lines[0].Split(' ')[1];
        asked.Add(place[..place.LastIndexOf(':')]);
        var answer = "200 Connection established";
        if (account is { } wanted)
        {
            var key = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{wanted.User}:{wanted.Password}"));
            if (!lines.Any(l => string.Equals(l, $"Proxy-Authorization: Basic {key}", StringComparison.OrdinalIgnoreCase)))
                answer = "407 Proxy Authentication Required";
        }

        if (!place.EndsWith(string.Create(CultureInfo.InvariantCulture, $":{target}"), StringComparison.Ordinal))
            answer = "403 Forbidden";
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {answer}\r\n\r\n"), stopped.Token);
        return answer[0] == '2';
    }

    /// <summary>Handles the SOCKS 5 handshake (RFC 1928; RFC 1929 for the password).</summary>
    private async Task<bool> WelcomeSocksAsync(NetworkStream stream)
    {
        var methods = await ReadAsync(stream, (await ReadAsync(stream, 2))[1]);
        var method = account is null ? (byte)0 : (byte)2;
        if (!methods.Contains(method))
        {
            await stream.WriteAsync(new byte[] { 5, 0xff }, stopped.Token);
            return false;
        }

        await stream.WriteAsync(new byte[] { 5, method }, stopped.Token);
        if (account is { } wanted)
        {
            var user = Encoding.UTF8.GetString(await ReadAsync(stream, (await ReadAsync(stream, 2))[1]));
            var password = Encoding.UTF8.GetString(await ReadAsync(stream, (await ReadAsync(stream, 1))[0]));
            var isRight = (user, password) == wanted;
            await stream.WriteAsync(new byte[] { 1, (byte)(isRight ? 0 : 1) }, stopped.Token);
            if (!isRight)
                return false;
        }

        var request = await ReadAsync(stream, 4);
        var host = request[3] switch
        {
            1 => new IPAddress(await ReadAsync(stream, 4)).ToString(),
            4 => new IPAddress(await ReadAsync(stream, 16)).ToString(),
            _ => Encoding.ASCII.GetString(await ReadAsync(stream, (await ReadAsync(stream, 1))[0])),
        };
        asked.Add(host);
        var isAllowed = BinaryPrimitives.ReadUInt16BigEndian(await ReadAsync(stream, 2)) == target;
        await stream.WriteAsync(new byte[] { 5, (byte)(isAllowed ? 0 : 2), 0, 1, 127, 0, 0, 1, 0, 0 }, stopped.Token);
        return isAllowed;
    }

    private async Task<byte[]> ReadAsync(NetworkStream stream, int count)
    {
        var octets = new byte[count];
        await stream.ReadExactlyAsync(octets, stopped.Token);
        return octets;
    }
}
