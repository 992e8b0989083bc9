using System.Collections.Concurrent;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Imapsync.Engine.Discovery;

namespace Imapsync.Tests.Support.Discovery;

/// <summary>A private name server, web servers and IMAP servers on loopback. All certificates are from one authority.</summary>
public sealed class DiscoveryLab : IAsyncDisposable
{
    private readonly TempDir directory = new();
    private readonly TestAuthority authority;
    private readonly List<TlsListener> listeners = [];
    private readonly Dictionary<(string Host, int Port), int> places = [];

    private readonly SocketsHttpHandler web;

    public DiscoveryLab()
    {
        authority = TestAuthority.Create(directory.Create("authority"));
        web = new SocketsHttpHandler
        {
            MaxAutomaticRedirections = 3,
            PooledConnectionLifetime = TimeSpan.Zero,
            ConnectCallback = async (context, c) => await ConnectAsync(context.DnsEndPoint.Host, context.DnsEndPoint.Port, c),
            SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = Trust() },
        };
    }

    public NameServer Names { get; } = new();

    /// <summary>The mail servers that were connected to, e.g. <c>imap.example.com:993</c>.</summary>
    public ConcurrentQueue<string> Dialled { get; } = [];

    /// <summary>The requests that web servers received, as host and path.</summary>
    public ConcurrentQueue<string> Requested { get; } = [];

    /// <summary>Adds an IMAP server under this name and port.</summary>
    /// <param name="certificateName">The name in the server's certificate; null for <paramref name="host"/>.</param>
    public DiscoveryLab Imap(string host, int port = 993, bool usesStartTls = false, string? certificateName = null)
    {
        var certificate = authority.IssueServer(certificateName ?? host);
        return Serve(host, port, (stream, c) => GreetAsync(stream, certificate, usesStartTls, c));
    }

    /// <summary>Adds a server that accepts connections and sends nothing.</summary>
    public DiscoveryLab Silent(string host, int port) => Serve(host, port, (_, c) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, c));

    /// <summary>Adds a web server that has one document.</summary>
    public DiscoveryLab Web(string host, string path, string document, string? certificateName = null) => Web(host, certificateName, asked =>
        asked == path
            ? $"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {Encoding.UTF8.GetByteCount(document)}\r\nConnection: close\r\n\r\n{document}"
            : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");

    /// <param name="answer">Maps the requested path to the complete response.</param>
    public DiscoveryLab Web(string host, string? certificateName, Func<string, string> answer)
    {
        var certificate = authority.IssueServer(certificateName ?? host);
        return Serve(host, 443, (stream, c) => AnswerAsync(stream, certificate, host, answer, c));
    }

    /// <summary>Options that make discovery contact only the servers of this lab.</summary>
    public DiscoveryOptions Options => new()
    {
        NameServer = Names.EndPoint,
        Web = web,
        Random = new Random(1),
        Proof = new ServerProof(TimeProvider.System)
        {
            CaFile = authority.CaFile,
            Dial = (host, port, c) =>
            {
                Dialled.Enqueue($"{host}:{port}");
                return ConnectAsync(host, port, c);
            },
        },
    };

    public Task<DiscoveryOutcome> FindAsync(string address) => new MailDiscovery(Options).FindAsync(address, CancellationToken.None);

    private X509ChainPolicy Trust()
    {
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck, TrustMode = X509ChainTrustMode.CustomRootTrust };
        policy.CustomTrustStore.ImportFromPemFile(authority.CaFile);
        return policy;
    }

    private DiscoveryLab Serve(string host, int port, Func<NetworkStream, CancellationToken, Task> talk)
    {
        var listener = new TlsListener(talk);
        listeners.Add(listener);
        places.Add((host, port), listener.Port);
        return this;
    }

    private ValueTask<Stream> ConnectAsync(string host, int port, CancellationToken cancellationToken) =>
        places.TryGetValue((host, port), out var local)
            ? TlsListener.ConnectAsync(local, cancellationToken)
            : throw new IOException($"{host} has no address");

    private static async Task GreetAsync(NetworkStream network, X509Certificate2 certificate, bool usesStartTls, CancellationToken cancellationToken)
    {
        Stream stream = network;
        if (usesStartTls)
        {
            await SayAsync(stream, "* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED] hello\r\n", cancellationToken);
            var line = await ReadLineAsync(stream, cancellationToken);
            await SayAsync(stream, $"{line.Split(' ')[0]} OK begin\r\n", cancellationToken);
        }

        stream = await TlsListener.SecureAsync(stream, certificate, cancellationToken);
        if (!usesStartTls)
            await SayAsync(stream, "* OK [CAPABILITY IMAP4rev1] hello\r\n", cancellationToken);
        while (await ReadLineAsync(stream, cancellationToken) is { Length: > 0 } line)
            await SayAsync(stream, $"* CAPABILITY IMAP4rev1\r\n{line.Split(' ')[0]} OK done\r\n", cancellationToken);
    }

    private async Task AnswerAsync(NetworkStream network, X509Certificate2 certificate, string host, Func<string, string> answer, CancellationToken cancellationToken)
    {
        await using var stream = await TlsListener.SecureAsync(network, certificate, cancellationToken);
        // A client that rejects the certificate sends no request.
        if ((await ReadLineAsync(stream, cancellationToken)).Split(' ') is not [_, var path, _])
            return;
        while (await ReadLineAsync(stream, cancellationToken) is { Length: > 0 })
        {
            // The request's header fields are not needed, so they are skipped.
        }

        Requested.Enqueue($"{host}{path}");
        await SayAsync(stream, answer(path), cancellationToken);
    }

    private static Task SayAsync(Stream stream, string text, CancellationToken cancellationToken) => stream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken).AsTask();

    /// <summary>Reads a line; empty at the end of the stream.</summary>
    private static async Task<string> ReadLineAsync(Stream stream, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var octet = new byte[1];
        while (await stream.ReadAsync(octet, cancellationToken) > 0 && octet[0] != '\n')
            line.Append((char)octet[0]);
        return line.ToString().TrimEnd('\r');
    }

    public async ValueTask DisposeAsync()
    {
        web.Dispose();
        foreach (var listener in listeners)
            await listener.DisposeAsync();
        await Names.DisposeAsync();
        directory.Dispose();
    }
}
