using System.Globalization;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Pop3;

/// <summary>
/// One session with a POP3 server (RFC 1939), for one caller at a time. After <see cref="Pop3RefusedException"/> (-ERR) the
/// session is still usable. After <see cref="ImapProtocolException"/>, <see cref="ImapConnectionException"/> or a cancelled
/// call, a new session is needed.
/// </summary>
public sealed partial class Pop3Client : IAsyncDisposable
{
    private const int MaxReplyBytes = 8 << 10;
    private const int CommandsTogether = 16;
    private static readonly TimeSpan QuitPatience = TimeSpan.FromSeconds(5);

    private readonly ImapClientOptions options;
    private readonly Stream network;
    private readonly ProgressWatchdog watchdog;
    private readonly ImapTrace? trace;
    private Stream stream;
    private Pop3Input input;
    private volatile string? stalled;
    private int owed;

    private Pop3Client(Stream network, ImapClientOptions options)
    {
        (this.network, this.options) = (network, options);
        trace = ImapTrace.For(options.Trace, ConnectionLog.For(options));
        watchdog = new ProgressWatchdog(options.Time, options.StallTimeout, what =>
        {
            stalled = what;
            network.Dispose();
        });
        stream = new WatchedStream(network, watchdog);
        input = new Pop3Input(stream);
    }

    public Pop3Capabilities Capabilities { get; private set; } = Pop3Capabilities.None;

    /// <summary>The text of the greeting, which helps to recognise the server's software.</summary>
    public string Greeting { get; private set; } = "";

    public bool IsBroken { get; private set; }

    /// <summary>Connects, sets up TLS as the options require, and reads the greeting and the capabilities. Does not log in.</summary>
    public static async Task<Pop3Client> ConnectAsync(ImapClientOptions options, CancellationToken cancellationToken)
    {
        var dialled = options.Dial is { } dial ? await dial(cancellationToken) : await TcpConnector.ConnectAsync(options, cancellationToken);
        var client = new Pop3Client(dialled, options);
        try
        {
            await client.BeginAsync(cancellationToken);
            return client;
        }
        catch
        {
            client.IsBroken = true;
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Requests the number of messages with STAT.</summary>
    public Task<long> CountAsync(CancellationToken cancellationToken) => TalkAsync(async () =>
    {
        await SendAsync("STAT", cancellationToken);
        var words = (await ReadStatusAsync("STAT", cancellationToken)).Split(' ');
        return long.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count <= options.Limits.MaxMessages
            ? count
            : throw new ImapProtocolException($"the server's answer to STAT makes no sense: '{words[0]}'");
    }, cancellationToken);

    /// <summary>Lists the unique-id of each message (RFC 1939 §7).</summary>
    public Task<IReadOnlyList<(int Number, string Id)>> UniqueIdsAsync(CancellationToken cancellationToken) => ListAsync("UIDL", id => id, cancellationToken);

    /// <summary>Lists the size of each message as the server states it, which may be wrong; -1 if the server sends no valid number.</summary>
    public Task<IReadOnlyList<(int Number, long Size)>> SizesAsync(CancellationToken cancellationToken) => ListAsync(
        "LIST", text => long.TryParse(text.Split(' ', 2)[0], NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : -1, cancellationToken);

    /// <summary>
    /// Requests messages or their headers, pipelined if the server allows it. Yields once per message, after all its octets were passed on:
    /// null for success, else the server's refusal.
    /// </summary>
    /// <param name="commands">Commands such as <c>RETR 1</c> or <c>TOP 1 0</c>; enumerated as reading proceeds.</param>
    /// <param name="onPiece">Receives the octets of the current message; a piece is valid until the returned task completes.</param>
    public async IAsyncEnumerable<Pop3RefusedException?> AskAsync(
        IEnumerable<string> commands, Func<ReadOnlyMemory<byte>, ValueTask> onPiece, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var under = new Queue<string>();
        using var next = commands.GetEnumerator();
        var hasMore = true;
        // If the caller stops early, unread answers would be taken for answers to the next command. So the session is broken then.
        using var leaving = new Leaving(() => IsBroken |= owed > 0);
        while (true)
        {
            var refusal = await TalkAsync<(bool IsOver, Pop3RefusedException? Why)>(async () =>
            {
                var most = Capabilities.HasPipelining ? CommandsTogether : 1;
                // Send further commands only when at most half of them are still unanswered, so that several go out in one packet.
                if (under.Count <= most / 2)
                {
                    var together = new StringBuilder();
                    while (hasMore && under.Count < most && (hasMore = next.MoveNext()))
                    {
                        under.Enqueue(next.Current);
                        together.Append(together.Length == 0 ? "" : "\r\n").Append(next.Current);
                    }

                    if (together.Length > 0)
                        await SendAsync(together.ToString(), cancellationToken, under.Count - owed);
                }

                if (!under.TryDequeue(out var command))
                    return (true, null);
                try
                {
                    await ReadStatusAsync(command.Split(' ', 2)[0], cancellationToken);
                }
                catch (Pop3RefusedException e)
                {
                    return (false, e);
                }

                await input.ReadBodyAsync(onPiece, options.Limits.MaxBodyBytes, cancellationToken);
                return (false, null);
            }, cancellationToken);
            if (refusal.IsOver)
                yield break;
            yield return refusal.Why;
        }
    }

    /// <summary>Marks a message as deleted; the server removes it at <see cref="QuitAsync"/>.</summary>
    public Task DeleteAsync(int number, CancellationToken cancellationToken) => TalkAsync(async () =>
    {
        await SendAsync($"DELE {number}", cancellationToken);
        return await ReadStatusAsync("DELE", cancellationToken);
    }, cancellationToken);

    /// <summary>Ends the session with QUIT; the server has removed the messages marked as deleted when this returns.</summary>
    public async Task QuitAsync(CancellationToken cancellationToken)
    {
        await TalkAsync(async () =>
        {
            await SendAsync("QUIT", cancellationToken);
            return await ReadStatusAsync("QUIT", cancellationToken);
        }, cancellationToken);
        IsBroken = true;
    }

    /// <summary>Makes disposal end the session without QUIT, so that the server keeps the messages marked as deleted (RFC 1939 §6).</summary>
    public void Break() => IsBroken = true;

    public async ValueTask DisposeAsync()
    {
        if (!IsBroken)
        {
            // Without QUIT a server may keep the mailbox locked for a while, so send QUIT, but do not wait long for the answer.
            using var patience = new CancellationTokenSource(QuitPatience, options.Time);
            try
            {
                await QuitAsync(patience.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or Pop3RefusedException or ImapProtocolException or ImapConnectionException)
            {
                // The session ends anyway, so a failed QUIT does not matter here.
            }
        }

        IsBroken = true;
        watchdog.Dispose();
        input.Dispose();
        await stream.DisposeAsync();
        await network.DisposeAsync();
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(options.GreetingTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var tls = new TlsLayer(options.Host, options.CaFile, options.Fingerprint, new ClientCertificate(options.ClientCertificateFile, options.ClientKeyFile));
            await TalkAsync(async () =>
            {
                if (options.Tls == ImapTls.Implicit)
                    await SecureAsync(tls);
                var greeting = ReadGreetingAsync(either.Token);
                if (options.Tls == ImapTls.Implicit)
                    await greeting;
                else
                    await TlsProbe.AwaitGreetingAsync(greeting, options, either.Token);
                return true;
            }, either.Token);
            await LearnCapabilitiesAsync(either.Token);
            if (options.Tls == ImapTls.StartTls)
                await StartTlsAsync(tls, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ImapConnectionException(ConnectionFailure.Stall, $"{options.Address} did not greet within {options.GreetingTimeout.TotalSeconds:0.###} s");
        }
    }

    private async Task ReadGreetingAsync(CancellationToken cancellationToken)
    {
        var line = await input.ReadLineAsync(MaxReplyBytes, cancellationToken);
        trace?.Line("< " + line);
        if (line.StartsWith("+OK", StringComparison.Ordinal))
            Greeting = line[3..].Trim();
        else if (line.StartsWith("-ERR", StringComparison.Ordinal))
            throw Refused("the greeting", line[4..]);
        else if (line.Length > 2 && line[0] is '\x15' or '\x16' && line[1] == '\x03')
            throw new ImapConnectionException(ConnectionFailure.Tls, $"{options.Address} speaks TLS from the first octet, without a greeting before it") { SpeaksInstead = ImapTls.Implicit };
        else
            throw new ImapConnectionException(ConnectionFailure.Tls, $"what answers at {options.Address} is no POP3 server{(line.StartsWith("* ", StringComparison.Ordinal) ? ": it speaks IMAP" : "")}");
    }

    /// <summary>Requests the capabilities with CAPA. A refusal is no failure, because servers need not support CAPA.</summary>
    private async Task LearnCapabilitiesAsync(CancellationToken cancellationToken) => Capabilities = await TalkAsync(async () =>
    {
        await SendAsync("CAPA", cancellationToken);
        try
        {
            await ReadStatusAsync("CAPA", cancellationToken);
        }
        catch (Pop3RefusedException)
        {
            return Pop3Capabilities.None;
        }

        return new Pop3Capabilities(await ReadLinesAsync(options.Limits.MaxCapabilities, cancellationToken), areTold: true);
    }, cancellationToken);

    private Task StartTlsAsync(TlsLayer tls, CancellationToken cancellationToken) => TalkAsync(async () =>
    {
        const string without = "the server offers no TLS (STLS), and without it nothing is sent";
        if (Capabilities is { AreTold: true, HasStls: false })
            throw new ImapConnectionException(ConnectionFailure.Tls, without);
        await SendAsync("STLS", cancellationToken);
        try
        {
            await ReadStatusAsync("STLS", cancellationToken);
        }
        catch (Pop3RefusedException e)
        {
            throw new ImapConnectionException(ConnectionFailure.Tls, $"{without}: {e.Message}", e);
        }

        // Octets that follow the +OK in clear text may come from an attacker instead of the server that TLS is about to verify. So
        // reject them (CVE-2011-0411).
        if (input.HasBuffered)
            throw new ImapProtocolException("the server, or someone between, sent octets between STLS and TLS: injection");
        await SecureAsync(tls);
        return true;
    }, cancellationToken);

    private async Task SecureAsync(TlsLayer tls)
    {
        stream = await tls.SecureAsync(stream);
        input.Dispose();
        input = new Pop3Input(stream);
    }

    private Task<IReadOnlyList<(int Number, T Value)>> ListAsync<T>(string command, Func<string, T> read, CancellationToken cancellationToken) =>
        TalkAsync<IReadOnlyList<(int, T)>>(async () =>
        {
            await SendAsync(command, cancellationToken);
            await ReadStatusAsync(command, cancellationToken);
            var list = new List<(int, T)>();
            foreach (var line in await ReadLinesAsync(options.Limits.MaxMessages, cancellationToken))
            {
                var words = line.Split(' ', 2);
                if (words.Length < 2 || !int.TryParse(words[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
                    throw new ImapProtocolException($"a line of the server's answer to {command} makes no sense: '{(line.Length > 100 ? line[..100] + "…" : line)}'");
                list.Add((number, read(words[1].Trim(' '))));
            }

            return list;
        }, cancellationToken);

    private async Task<List<string>> ReadLinesAsync(int most, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        while (true)
        {
            var line = await input.ReadLineAsync(MaxReplyBytes, cancellationToken);
            trace?.Line("< " + line);
            if (line == ".")
                return lines;
            if (lines.Count == most)
                throw new ImapProtocolException($"the server's list has more than {most} lines");
            lines.Add(line is ['.', ..] ? line[1..] : line);
        }
    }

    /// <param name="answers">How many answers the server will send.</param>
    /// <param name="shown">The text to show in the trace instead of <paramref name="command"/>; null to show the command.</param>
    private async Task SendAsync(string command, CancellationToken cancellationToken, int answers = 1, string? shown = null)
    {
        foreach (var line in trace is null ? [] : (shown ?? command).Split("\r\n"))
            trace!.Sent(line);
        owed += answers;
        await stream.WriteAsync(Encoding.UTF8.GetBytes(command + "\r\n"), cancellationToken);
        await stream.FlushAsync(cancellationToken);
    }

    private async Task<string> ReadStatusAsync(string command, CancellationToken cancellationToken, bool isSecret = false)
    {
        var line = await input.ReadLineAsync(MaxReplyBytes, cancellationToken);
        owed--;
        trace?.Line("< " + (isSecret ? line.Split(' ', 2)[0] + " (hidden)" : line));
        if (line.StartsWith("+OK", StringComparison.OrdinalIgnoreCase))
            return line[3..].Trim();
        throw line.StartsWith("-ERR", StringComparison.OrdinalIgnoreCase)
            ? Refused(command, line[4..])
            : new ImapProtocolException($"the server's answer to {command} begins with neither +OK nor -ERR");
    }

    private Pop3RefusedException Refused(string command, string text)
    {
        text = text.Trim();
        var end = text is ['[', ..] ? text.IndexOf(']') : -1;
        if (end < 0)
            return new Pop3RefusedException(command, null, Cut(text));
        var words = text[1..end].Split(' ', 2);
        var name = words[0].ToUpperInvariant();
        return new Pop3RefusedException(command, new ResponseCode(Pop3RefusedException.KindOf(name), name, words.ElementAtOrDefault(1) ?? ""), Cut(text[(end + 1)..].Trim()));
    }

    private string Cut(string text) => text.Length > options.Limits.MaxStatusTextBytes ? text[..options.Limits.MaxStatusTextBytes] : text;

    private readonly struct Leaving(Action then) : IDisposable
    {
        public void Dispose() => then();
    }

    /// <summary>Runs an operation on the connection and translates its failures into this client's exceptions.</summary>
    private async Task<T> TalkAsync<T>(Func<Task<T>> talk, CancellationToken cancellationToken)
    {
        if (IsBroken)
            throw new ImapConnectionException(ConnectionFailure.Closed, "the session is over");
        watchdog.CommandSent();
        try
        {
            using var registration = cancellationToken.UnsafeRegister(static s => ((Stream)s!).Dispose(), network);
            return await talk();
        }
        catch (Exception e) when (e is not Pop3RefusedException)
        {
            IsBroken = true;
            cancellationToken.ThrowIfCancellationRequested();
            if (stalled is { } what)
                throw new ImapConnectionException(ConnectionFailure.Stall, what, e);
            if (e is IOException or SocketException or ObjectDisposedException)
                throw new ImapConnectionException(ConnectionFailure.Network, $"the connection was lost: {e.Message}", e);
            throw;
        }
        finally
        {
            watchdog.CommandAnswered();
        }
    }
}
