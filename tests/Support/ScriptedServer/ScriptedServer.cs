using System.IO.Pipelines;
using System.Net.Security;
using System.Net.Sockets;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>
/// The server's side of one IMAP connection. A test scripts it beside the client's calls. Text has one character per octet.
/// </summary>
public sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Stream network;
    private Stream stream;

    private ScriptedServer(Stream stream) => this.stream = network = stream;

    /// <summary>The client's octets that the script has read so far.</summary>
    public StringBuilder Heard { get; } = new();

    /// <summary>Creates a server and the client's end of its connection, both in memory.</summary>
    /// <param name="segment">The most octets that the client receives with one read.</param>
    /// <param name="buffered">How many sent octets the client may leave unread before sending waits.</param>
    public static (ScriptedServer Server, Stream Client) InMemory(int segment = int.MaxValue, int buffered = 1 << 20)
    {
        var down = new Pipe(new PipeOptions(pauseWriterThreshold: buffered, resumeWriterThreshold: buffered / 2, useSynchronizationContext: false));
        var up = new Pipe(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
        return (new ScriptedServer(new PipedStream(up.Reader, down.Writer)), new PipedStream(down.Reader, up.Writer, segment));
    }

    /// <summary>Waits for one client on a loopback port.</summary>
    public static async Task<ScriptedServer> AcceptAsync(TcpListener listener, CancellationToken cancellationToken) =>
        new((await listener.AcceptTcpClientAsync(cancellationToken)).GetStream());

    public static TcpListener Listen(out int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        return listener;
    }

    public async Task SendAsync(string text, CancellationToken cancellationToken = default)
    {
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text), cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }

    /// <summary>Reads a line without its line end; null when the client has closed.</summary>
    public async Task<string?> ReadLineAsync(CancellationToken cancellationToken = default)
    {
        var line = new StringBuilder();
        var octet = new byte[1];
        while (await stream.ReadAsync(octet, cancellationToken) == 1)
        {
            Heard.Append((char)octet[0]);
            if (octet[0] == '\n')
                return line.ToString().TrimEnd('\r');
            line.Append((char)octet[0]);
        }

        return line.Length > 0 ? line.ToString() : null;
    }

    /// <summary>Reads the given number of octets, e.g. of a literal.</summary>
    public async Task<string> ReadOctetsAsync(int count, CancellationToken cancellationToken = default)
    {
        var octets = new byte[count];
        await stream.ReadExactlyAsync(octets, cancellationToken);
        var text = Encoding.Latin1.GetString(octets);
        Heard.Append(text);
        return text;
    }

    /// <summary>Reads a line, which must be a tag and then exactly this command. Returns the tag.</summary>
    public async Task<string> ExpectAsync(string command, CancellationToken cancellationToken = default)
    {
        var line = await ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException($"expected '{command}', and the client closed");
        var blank = line.IndexOf(' ', StringComparison.Ordinal);
        if (blank <= 0 || line[(blank + 1)..] != command)
            throw new InvalidOperationException($"expected '{command}', and the client sent '{line}'");
        return line[..blank];
    }

    /// <summary>Expects a command and answers it: untagged lines first, then OK.</summary>
    public async Task AnswerAsync(string command, params string[] lines)
    {
        var tag = await ExpectAsync(command);
        await SendAsync(string.Concat(lines.Select(l => l + "\r\n")) + tag + " OK done\r\n");
    }

    /// <summary>Starts TLS on the connection.</summary>
    public async Task SecureAsync(X509Certificate2 certificate)
    {
        var tls = new SslStream(stream);
        await tls.AuthenticateAsServerAsync(certificate);
        stream = tls;
    }

    /// <summary>Wraps the stream between script and network, e.g. for compression.</summary>
    public void Wrap(Func<Stream, Stream> wrap) => stream = wrap(stream);

    public async ValueTask DisposeAsync()
    {
        await stream.DisposeAsync();
        await network.DisposeAsync();
    }
}
