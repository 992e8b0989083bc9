using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Imapsync.Bench;

/// <summary>
/// An IMAP server with one folder that sends and stores messages octet for octet, whatever they contain. Real servers alter line ends and
/// NULs themselves, which would hide what a client altered.
/// </summary>
internal sealed partial class OctetServer : IAsyncDisposable
{
    private const string Capabilities = "IMAP4rev1 LITERAL+ UIDPLUS NAMESPACE UNSELECT MULTIAPPEND";
    private const string Date = "\"17-Jul-2024 02:44:25 +0000\"";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = new();
    private readonly List<byte[]> messages;

    public OctetServer(IEnumerable<byte[]> messages)
    {
        this.messages = [.. messages];
        listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public IReadOnlyList<byte[]> Messages
    {
        get
        {
            lock (messages)
                return [.. messages];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Stop();
        ending.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await listener.AcceptTcpClientAsync(ending.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The benchmark case has ended, so the server stops.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        await using var stream = new BufferedStream(client.GetStream(), 1 << 16);
        try
        {
            await SendAsync(stream, $"* OK [CAPABILITY {Capabilities}] ready\r\n");
            while (await reader.ReadLineAsync(ending.Token) is { } line)
            {
                var literals = new List<byte[]>();
                while (Literal().Match(line) is { Success: true } literal)
                {
                    if (literal.Groups["now"].Length == 0)
                        await SendAsync(stream, "+ go on\r\n");
                    var octets = new char[int.Parse(literal.Groups["length"].ValueSpan, CultureInfo.InvariantCulture)];
                    await reader.ReadBlockAsync(octets, ending.Token);
                    literals.Add(Encoding.Latin1.GetBytes(octets));
                    line = line[..literal.Index] + await reader.ReadLineAsync(ending.Token);
                }

                var words = line.Split(' ', 3);
                var (verb, rest) = (words.ElementAtOrDefault(1)?.ToUpperInvariant() ?? "", words.ElementAtOrDefault(2) ?? "");
                if (verb == "UID")
                    (verb, rest) = (rest.Split(' ')[0].ToUpperInvariant(), rest[(rest.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
                var code = await AnswerAsync(stream, verb, rest, literals);
                await SendAsync(stream, $"{words[0]} OK {code}done\r\n");
                if (verb == "LOGOUT")
                    return;
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client has disconnected.
        }
    }

    /// <returns>A response code for the tagged reply, or an empty string.</returns>
    private async Task<string> AnswerAsync(Stream stream, string verb, string rest, List<byte[]> literals)
    {
        var count = Messages.Count;
        switch (verb)
        {
            case "CAPABILITY":
                await WriteAsync(stream, $"* CAPABILITY {Capabilities}\r\n");
                break;
            case "NAMESPACE":
                await WriteAsync(stream, "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n");
                break;
            case "LIST" or "LSUB":
                await WriteAsync(stream, rest.EndsWith(" \"\"", StringComparison.Ordinal) ? "* LIST (\\Noselect) \"/\" \"\"\r\n" : $"* {verb} () \"/\" INBOX\r\n");
                break;
            case "STATUS":
                await WriteAsync(stream, $"* STATUS INBOX (MESSAGES {count} UIDNEXT {count + 1} UIDVALIDITY 7 UNSEEN 0 RECENT 0)\r\n");
                break;
            case "SELECT" or "EXAMINE":
                await WriteAsync(stream, "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)\r\n* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft \\*)] all\r\n");
                await WriteAsync(stream, $"* {count} EXISTS\r\n* 0 RECENT\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT {count + 1}] x\r\n");
                return verb == "SELECT" ? "[READ-WRITE] " : "[READ-ONLY] ";
            case "NOOP" or "CHECK":
                await WriteAsync(stream, $"* {count} EXISTS\r\n");
                break;
            case "SEARCH":
                await WriteAsync(stream, $"* SEARCH {string.Join(' ', Enumerable.Range(1, count))}\r\n");
                break;
            case "LOGOUT":
                await WriteAsync(stream, "* BYE\r\n");
                break;
            case "FETCH":
                await FetchAsync(stream, rest);
                break;
            case "APPEND":
                lock (messages)
                    messages.AddRange(literals);
                await WriteAsync(stream, $"* {count + literals.Count} EXISTS\r\n");
                return $"[APPENDUID 7 {(literals.Count == 1 ? $"{count + 1}" : $"{count + 1}:{count + literals.Count}")}] ";
        }

        return "";
    }

    private async Task FetchAsync(Stream stream, string rest)
    {
        var all = Messages;
        var items = rest[(rest.IndexOf(' ', StringComparison.Ordinal) + 1)..];
        foreach (var part in rest.Split(' ')[0].Split(','))
        {
            var ends = part.Split(':').Select(n => n == "*" ? all.Count : (int)Math.Min(all.Count, uint.Parse(n, CultureInfo.InvariantCulture))).ToList();
            // UIDs equal sequence numbers, because messages are never removed.
            for (var uid = ends.Min(); uid <= ends.Max() && uid > 0; uid++)
            {
                var octets = all[uid - 1];
                // Send only the requested items, because other items might confuse the client.
                var asked = new[] { ("FLAGS", "(\\Seen)"), ("INTERNALDATE", Date), ("RFC822.SIZE", $"{octets.Length}") }.Where(i => items.Contains(i.Item1, StringComparison.OrdinalIgnoreCase));
                await WriteAsync(stream, $"* {uid} FETCH (UID {uid}{string.Concat(asked.Select(i => $" {i.Item1} {i.Item2}"))}");
                if (Body().Match(items) is { Success: true } body)
                {
                    var section = body.Groups["section"].Value;
                    var end = section.Length == 0 ? octets.Length : octets.AsSpan().IndexOf("\r\n\r\n"u8) is >= 0 and var at ? at + 4 : octets.Length;
                    await WriteAsync(stream, $" BODY[{section}] {{{end}}}\r\n");
                    await stream.WriteAsync(octets.AsMemory(0, end));
                }

                await WriteAsync(stream, ")\r\n");
            }
        }
    }

    private static ValueTask WriteAsync(Stream stream, string text) => stream.WriteAsync(Encoding.Latin1.GetBytes(text));

    private static async Task SendAsync(Stream stream, string text)
    {
        await WriteAsync(stream, text);
        await stream.FlushAsync();
    }

    [GeneratedRegex(@"~?\{(?<length>\d+)(?<now>\+?)\}$", RegexOptions.ExplicitCapture, 60_000)]
    private static partial Regex Literal();

    [GeneratedRegex(@"BODY(\.PEEK)?\[(?<section>[^\]]*)\]", RegexOptions.ExplicitCapture | RegexOptions.IgnoreCase, 60_000)]
    private static partial Regex Body();
}
