using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Imapsync.Tests.Support.OAuth;

/// <summary>A TLS proxy in front of a clear-text server, with a certificate of the test's authority.</summary>
public sealed class TlsFront : IDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly X509Certificate2 certificate;
    private readonly int behind;

    private TlsFront(X509Certificate2 certificate, int behind) => (this.certificate, this.behind) = (certificate, behind);

    public string Url => $"https://localhost:{((IPEndPoint)listener.LocalEndpoint).Port}";

    public static TlsFront Start(TestAuthority authority, int behind)
    {
        var front = new TlsFront(X509Certificate2.CreateFromPemFile(authority.CertificateFile, authority.KeyFile), behind);
        front.listener.Start();
        _ = front.ServeAsync();
        return front;
    }

    public void Dispose()
    {
        listener.Dispose();
        certificate.Dispose();
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
                _ = RelayAsync(await listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The test has ended.
        }
    }

    private async Task RelayAsync(TcpClient client)
    {
        try
        {
            using var from = client;
            await using var encrypted = new SslStream(from.GetStream());
            await encrypted.AuthenticateAsServerAsync(certificate);
            using var to = new TcpClient();
            await to.ConnectAsync(IPAddress.Loopback, behind);
            await Task.WhenAny(HandOnAsync(encrypted, to.GetStream()), to.GetStream().CopyToAsync(encrypted));
        }
        catch (Exception e) when (e is IOException or SocketException or System.Security.Authentication.AuthenticationException or ObjectDisposedException)
        {
            // The client rejected the certificate or has disconnected.
        }
    }

    /// <summary>
    /// Passes on requests with the Host field replaced, because the server answers only to its own name. Assumes that a header arrives in
    /// one read.
    /// </summary>
    private async Task HandOnAsync(SslStream encrypted, NetworkStream to)
    {
        var buffer = new byte[64 * 1024];
        int count;
        while ((count = await encrypted.ReadAsync(buffer)) > 0)
        {
            var text = Encoding.Latin1.GetString(buffer, 0, count).Replace($"Host: {new Uri(Url).Authority}", $"Host: 127.0.0.1:{behind}", StringComparison.Ordinal);
            await to.WriteAsync(Encoding.Latin1.GetBytes(text));
        }
    }
}
