using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Imapsync.Tests.Support;

/// <param name="Target">The path and query of the request URL, not decoded.</param>
/// <param name="Octets">The unchanged body of the request.</param>
public sealed record HttpRequestSeen(string Method, string Target, IReadOnlyDictionary<string, string> Headers, byte[] Octets)
{
    public string Body => Encoding.UTF8.GetString(Octets);
}

/// <summary>
/// A private HTTPS server that records its requests. The target decides the answer: none for <c>hang</c>, 500 for <c>status-500</c> and so
/// on, otherwise 200.
/// </summary>
public sealed class HttpReceiver : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2? certificate;
    private readonly CancellationTokenSource end = new();
    private readonly List<HttpRequestSeen> seen = [];
    private readonly Task accepting;

    private HttpReceiver(X509Certificate2? certificate)
    {
        this.certificate = certificate;
        listener.Start();
        accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public string Url => $"{(certificate is null ? "http" : "https")}://localhost:{Port}";

    /// <summary>The complete requests, in the order of their completion.</summary>
    public IReadOnlyList<HttpRequestSeen> Seen
    {
        get
        {
            lock (seen)
                return [.. seen];
        }
    }

    /// <param name="authority">The authority whose server certificate is used; null for clear text.</param>
    public static HttpReceiver Start(TestAuthority? authority) => new(authority is null ? null : Load(authority));

    /// <summary>Loads the server certificate in a form that TLS servers on all systems accept.</summary>
    internal static X509Certificate2 Load(TestAuthority authority)
    {
        using var pem = X509Certificate2.CreateFromPemFile(authority.CertificateFile, authority.KeyFile);
        return X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null);
    }

    public async ValueTask DisposeAsync()
    {
        await end.CancelAsync();
        listener.Stop();
        await accepting;
        end.Dispose();
        certificate?.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
                serving.Add(ServeAsync(await listener.AcceptTcpClientAsync(end.Token)));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var connection = client;
        try
        {
            Stream stream = connection.GetStream();
            if (certificate is not null)
            {
                var tls = new SslStream(stream);
                await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = certificate }, end.Token);
                stream = tls;
            }

            await using (stream)
            {
                if (await ReadAsync(stream) is not { } request)
                    return;
                lock (seen)
                    seen.Add(request);
                if (request.Target.Contains("hang", StringComparison.Ordinal))
                    await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, end.Token);
                var at = request.Target.IndexOf("status-", StringComparison.Ordinal);
                var status = at < 0 ? "200" : request.Target.Substring(at + "status-".Length, 3);
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {status} So\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), end.Token);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or System.Security.Authentication.AuthenticationException)
        {
            // The client has disconnected, or the test has ended.
        }
    }

    private async Task<HttpRequestSeen?> ReadAsync(Stream stream)
    {
        var octets = new List<byte>();
        var buffer = new byte[4096];
        int head;
        while ((head = Encoding.Latin1.GetString([.. octets]).IndexOf("\r\n\r\n", StringComparison.Ordinal)) < 0)
        {
            var read = await stream.ReadAsync(buffer, end.Token);
            if (read == 0)
                return null;
            octets.AddRange(buffer.AsSpan(0, read));
        }

        var lines = Encoding.Latin1.GetString([.. octets[..head]]).Split("\r\n");
        var headers = lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(l => l[0], l => l[1], StringComparer.OrdinalIgnoreCase);
        var length = head + 4 + (headers.TryGetValue("Content-Length", out var text) ? int.Parse(text, CultureInfo.InvariantCulture) : 0);
        while (octets.Count < length)
        {
            var read = await stream.ReadAsync(buffer, end.Token);
            if (read == 0)
                return null;
            octets.AddRange(buffer.AsSpan(0, read));
        }

        var words = lines[0].Split(' ');
        return new HttpRequestSeen(words[0], words[1], headers, [.. octets[(head + 4)..length]]);
    }
}
