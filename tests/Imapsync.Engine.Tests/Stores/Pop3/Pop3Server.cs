using System.IO.Pipelines;
using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Pop3;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Pop3;

/// <summary>A POP3 server in memory that answers as the test decides, and a job that backs it up into a Maildir.</summary>
internal sealed class Pop3Server : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly HashSet<int> marked = [];

    /// <summary>The messages by number, each with its unique-id and octets.</summary>
    public SortedDictionary<int, (string Id, byte[] Octets)> Messages { get; } = [];

    /// <summary>The capabilities that CAPA lists; null for a server without CAPA.</summary>
    public string[]? Capabilities { get; set; } = ["USER", "UIDL", "TOP", "PIPELINING", "RESP-CODES"];

    public string Greeting { get; set; } = "+OK ready";

    /// <summary>Returns the reply to a command, or null for the default reply. An empty reply closes the connection.</summary>
    public Func<string, string?> Instead { get; set; } = _ => null;

    public List<string> Heard { get; } = [];

    public int Sessions { get; private set; }

    public JobDefinition Definition { get; set; } = null!;

    public DeletionPolicy Deletions { get; set; }

    public AuthMechanism Auth { get; set; }

    public SecretReference Password { get; set; } = new Fixed();

    public JobReport Report { get; private set; } = null!;

    public string Target => Path.Combine(directory.Path, "target");

    public string Problems => string.Join('\n', Report.Problems.Select(p => $"{p.Scope} {p.Reason} {p.Text}"));

    public static Pop3Server With(params string[] bodies)
    {
        var server = new Pop3Server();
        for (var i = 0; i < bodies.Length; i++)
            server.Messages[i + 1] = ($"id-{i + 1}", Encoding.Latin1.GetBytes(bodies[i]));
        return server;
    }

    public async Task<JobReport> RunAsync(bool deletes = false)
    {
        var endpoint = new Pop3Endpoint("pop.example", 110, TlsMode.None, "alice") { Password = Password, Auth = Auth, DeletesAfterCopy = deletes };
        Definition = new JobDefinition("job", endpoint, new MaildirEndpoint(Target))
        {
            StateDirectory = Path.Combine(directory.Path, "state"),
            Deletions = Deletions,
            DeletionLimit = new DeletionLimit(100, IsPercent: true),
            Retry = new RetrySettings { Attempts = 6, MaxDelay = TimeSpan.FromMilliseconds(1) },
        };
        var token = TestContext.Current.CancellationToken;
        return Report = await new JobRunner(TimeProvider.System, new StoreOpener((e, c, t) => Pop3Store.OpenAsync((Pop3Endpoint)e, c, Dial, t), StoreRegistry.OpenTargetAsync))
            .RunAsync(Definition, new RunOptions(false), _ => { }, token, token);
    }

    /// <summary>The messages that arrived at the target, with CRLF line ends, sorted.</summary>
    public IReadOnlyList<string> Arrived() =>
        !Directory.Exists(Target) ? [] :
        [
            .. Directory.EnumerateFiles(Target, "*", SearchOption.AllDirectories).Where(f => Path.GetFileName(Path.GetDirectoryName(f)) is "cur" or "new")
                .Select(f => Encoding.Latin1.GetString(MaildirReader.WithCrLf(File.ReadAllBytes(f)))).Order(StringComparer.Ordinal),
        ];

    public void Dispose() => directory.Dispose();

    private ValueTask<Stream> Dial(CancellationToken cancellationToken)
    {
        Sessions++;
        var (toServer, toClient) = (new Pipe(), new Pipe());
        _ = ServeAsync(new PipedStream(toServer.Reader, toClient.Writer));
        // Replies arrive in pieces of 7 octets, so they may be split anywhere.
        return ValueTask.FromResult<Stream>(new PipedStream(toClient.Reader, toServer.Writer, segment: 7));
    }

    private async Task ServeAsync(PipedStream stream)
    {
        await using var line = stream;
        try
        {
            marked.Clear();
            await SendAsync(stream, Greeting + "\r\n");
            using var reader = new StreamReader(new AsyncOnly(stream), Encoding.Latin1);
            while (await reader.ReadLineAsync(CancellationToken.None) is { } command)
            {
                Heard.Add(command);
                var answer = Instead(command) ?? Answer(command);
                if (answer.Length == 0)
                    return;
                await SendAsync(stream, answer.TrimEnd('\x01'));
                if (answer.EndsWith('\x01') || command == "QUIT")
                    return;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The client has closed the connection.
        }
    }

    public string Answer(string command)
    {
        var words = command.Split(' ');
        switch (words[0])
        {
            case "CAPA":
                return Capabilities is null ? "-ERR what?\r\n" : "+OK\r\n" + string.Concat(Capabilities.Select(c => c + "\r\n")) + ".\r\n";
            case "STAT":
                return $"+OK {Messages.Count} {Messages.Values.Sum(m => m.Octets.Length)}\r\n";
            case "UIDL":
                return "+OK\r\n" + string.Concat(Messages.Select(m => $"{m.Key} {m.Value.Id}\r\n")) + ".\r\n";
            case "LIST":
                return "+OK\r\n" + string.Concat(Messages.Select(m => $"{m.Key} {m.Value.Octets.Length}\r\n")) + ".\r\n";
            case "TOP":
                var octets = Encoding.Latin1.GetString(Messages[int.Parse(words[1])].Octets);
                var end = octets.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                return "+OK\r\n" + Stuffed(end < 0 ? octets : octets[..(end + 4)]) + ".\r\n";
            case "RETR":
                return "+OK here it comes\r\n" + Stuffed(Encoding.Latin1.GetString(Messages[int.Parse(words[1])].Octets)) + ".\r\n";
            case "DELE":
                marked.Add(int.Parse(words[1]));
                return "+OK\r\n";
            case "QUIT":
                foreach (var number in marked)
                    Messages.Remove(number);
                return "+OK\r\n";
            default:
                return "+OK\r\n";
        }
    }

    /// <summary>Byte-stuffs a message (RFC 1939 §3): puts a dot before each line that begins with one. Only CRLF ends a line.</summary>
    private static string Stuffed(string octets) =>
        (octets.StartsWith('.') ? "." : "") + octets.Replace("\r\n.", "\r\n..", StringComparison.Ordinal);

    private static Task SendAsync(PipedStream stream, string text) => stream.WriteAsync(Encoding.Latin1.GetBytes(text)).AsTask();

    public sealed class Fixed : SecretReference
    {
        public override ValueTask<Secret> ReadAsync(CancellationToken cancellationToken) => ValueTask.FromResult(new Secret("sesame-4711"));

        public override string ToString() => "test";
    }

    /// <summary>A <see cref="PipedStream"/> as a stream for a text reader; only asynchronous reads work.</summary>
    private sealed class AsyncOnly(PipedStream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => inner.ReadAsync(buffer, cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
