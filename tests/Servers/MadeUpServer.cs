using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace Imapsync.Servers.Tests;

/// <summary>
/// A server with folder names that no real server accepts, or with very many messages. It generates them on request; every folder has the
/// same number of small messages.
/// </summary>
internal sealed partial class MadeUpServer : IAsyncDisposable
{
    private const string Capabilities = "IMAP4rev1 LITERAL+ LIST-EXTENDED";

    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource ending = new();
    private readonly IReadOnlyList<string> folders;
    private readonly int messages;

    /// <param name="folders">Names as sent over the wire, one character for each octet.</param>
    public MadeUpServer(IReadOnlyList<string> folders, int messages)
    {
        (this.folders, this.messages) = (folders, messages);
        listener.Start();
        _ = AcceptAsync();
    }

    /// <summary>
    /// An endless reply: a command that contains the word gets the opening, then the piece again and again. Null for normal replies.
    /// </summary>
    public (string Command, string Opening, string Piece)? Endless { get; init; }

    /// <summary>The octets of the endless reply that the client has accepted.</summary>
    public long EndlessBytes { get; private set; }

    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    public static string Body(int uid) => $"Message-ID: <{uid}@made.up>\r\nSubject: {uid}\r\n\r\ntext\r\n";

    public async ValueTask DisposeAsync()
    {
        await ending.CancelAsync();
        listener.Stop();
        ending.Dispose();
    }

    [GeneratedRegex(@"UID FETCH (?<first>\d+):?(?<last>\d+|\*)?[^ ]* \((?<items>.*)\)", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, 60_000)]
    private static partial Regex Fetch();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await listener.AcceptTcpClientAsync(ending.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The test has ended.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        // Only writes are buffered. With one buffer for both directions, unread input would block writing.
        await using var stream = new BufferedStream(client.GetStream(), 1 << 16);
        using var reader = new StreamReader(client.GetStream(), Encoding.Latin1);
        try
        {
            await SendAsync(stream, $"* OK [CAPABILITY {Capabilities}] made up\r\n");
            while (await reader.ReadLineAsync(ending.Token) is { } line)
            {
                while (LiteralLength(line) is { } length)
                {
                    var literal = new char[length];
                    await reader.ReadBlockAsync(literal, ending.Token);
                    line = line[..line.LastIndexOf('{')] + new string(literal) + await reader.ReadLineAsync(ending.Token);
                }

                var tag = line[..line.IndexOf(' ', StringComparison.Ordinal)];
                await AnswerAsync(stream, line[(tag.Length + 1)..]);
                await SendAsync(stream, $"{tag} OK done\r\n");
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The client closed the connection.
        }
    }

    private async Task AnswerAsync(Stream stream, string command)
    {
        if (Endless is { } endless && command.Contains(endless.Command, StringComparison.OrdinalIgnoreCase))
        {
            await SendAsync(stream, endless.Opening);
            for (var piece = string.Concat(Enumerable.Repeat(endless.Piece, 1 + (60_000 / endless.Piece.Length))); ; EndlessBytes += piece.Length)
                await SendAsync(stream, piece);
        }

        var counters = $"UIDVALIDITY 7 UIDNEXT {messages + 1} MESSAGES {messages} UNSEEN 0";
        if (command.Equals("CAPABILITY", StringComparison.OrdinalIgnoreCase))
        {
            await WriteAsync(stream, $"* CAPABILITY {Capabilities}\r\n");
        }
        else if (command.StartsWith("LIST", StringComparison.OrdinalIgnoreCase) && command.Contains('*', StringComparison.Ordinal))
        {
            foreach (var folder in folders)
                await WriteAsync(stream, $"* LIST () \"/\" {{{folder.Length}}}\r\n{folder}\r\n");
        }
        else if (command.StartsWith("LIST", StringComparison.OrdinalIgnoreCase))
        {
            await WriteAsync(stream, "* LIST (\\Noselect) \"/\" \"\"\r\n");
        }
        else if (command.StartsWith("STATUS", StringComparison.OrdinalIgnoreCase))
        {
            var name = command["STATUS ".Length..command.LastIndexOf(" (", StringComparison.Ordinal)].Trim('"').Replace("\\\\", "\\", StringComparison.Ordinal).Replace("\\\"", "\"", StringComparison.Ordinal);
            await WriteAsync(stream, $"* STATUS {{{name.Length}}}\r\n{name} ({counters})\r\n");
        }
        else if (command.StartsWith("EXAMINE", StringComparison.OrdinalIgnoreCase))
        {
            await WriteAsync(stream, $"* {messages} EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT {messages + 1}] x\r\n");
        }
        else if (Fetch().Match(command) is { Success: true } fetch)
        {
            await FetchAsync(stream, fetch);
        }
    }

    private async Task FetchAsync(Stream stream, Match fetch)
    {
        var first = int.Parse(fetch.Groups["first"].Value);
        var last = fetch.Groups["last"].Value switch { "" => first, "*" => messages, var n => (int)Math.Min(messages, long.Parse(n)) };
        for (var uid = first; uid <= last; uid++)
        {
            var body = Body(uid);
            await WriteAsync(stream, fetch.Groups["items"].Value.Contains("BODY", StringComparison.OrdinalIgnoreCase)
                ? $"* {uid} FETCH (UID {uid} BODY[] {{{body.Length}}}\r\n{body})\r\n"
                : $"* {uid} FETCH (UID {uid} FLAGS (\\Seen) INTERNALDATE \"01-Feb-2025 10:00:00 +0000\" RFC822.SIZE {body.Length})\r\n");
        }
    }

    private static int? LiteralLength(string line)
    {
        var open = line.LastIndexOf('{');
        return open >= 0 && line.EndsWith("+}", StringComparison.Ordinal) ? int.Parse(line.AsSpan(open + 1, line.Length - open - 3)) : null;
    }

    private static ValueTask WriteAsync(Stream stream, string text) => stream.WriteAsync(Encoding.Latin1.GetBytes(text));

    private static async Task SendAsync(Stream stream, string text)
    {
        await WriteAsync(stream, text);
        await stream.FlushAsync();
    }
}
