using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>
/// A minimal IMAP client that sends commands as given and splits replies into atoms, strings and lists. A quoted string equals a literal of
/// the same content.
/// </summary>
internal sealed class RawImap : IAsyncDisposable
{
    private readonly TcpClient socket;
    private readonly NetworkStream stream;
    private readonly BufferedStream input;
    private int number;

    private RawImap(TcpClient socket)
    {
        this.socket = socket;
        stream = socket.GetStream();
        input = new BufferedStream(stream, 64 * 1024);
    }

    public Stream Line => stream;

    public static async Task<RawImap> ConnectAsync(int port)
    {
        var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", port);
        return new RawImap(socket);
    }

    public static async Task<RawImap> ConnectAsync(int port, string user, string password)
    {
        var client = await ConnectAsync(port);
        await client.ReadLineAsync();
        var quoted = password.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
        await client.OkAsync($"LOGIN {user} \"{quoted}\"");
        return client;
    }

    /// <summary>Sends a command. Returns the reply's lines with their literals; the last is the tagged line without its tag.</summary>
    public async Task<List<string>> CommandAsync(string command)
    {
        var tag = $"r{++number}";
        await stream.WriteAsync(Encoding.Latin1.GetBytes($"{tag} {command}\r\n"));
        var lines = new List<string>();
        while (true)
        {
            var line = await ReadLineAsync() ?? throw new EndOfStreamException($"the line ended within {command}");
            if (line.StartsWith(tag + " ", StringComparison.Ordinal))
            {
                lines.Add(line[(tag.Length + 1)..]);
                return lines;
            }

            lines.Add(line);
        }
    }

    /// <summary>Sends a command that must succeed; returns its untagged replies.</summary>
    public async Task<List<string>> OkAsync(string command)
    {
        var lines = await CommandAsync(command);
        Assert.True(lines[^1].StartsWith("OK", StringComparison.Ordinal), $"{command}: {lines[^1]}");
        return lines[..^1];
    }

    /// <summary>Sends FETCH. Returns each message's items by sequence number, normalised so that equal values have equal text.</summary>
    public async Task<Dictionary<int, Dictionary<string, string>>> FetchAsync(string set, string items)
    {
        var messages = new Dictionary<int, Dictionary<string, string>>();
        foreach (var line in await OkAsync($"FETCH {set} ({items})"))
        {
            var parts = line.Split(' ', 4);
            if (parts.Length < 4 || parts[2] != "FETCH")
                continue;
            var found = messages.TryGetValue(int.Parse(parts[1], CultureInfo.InvariantCulture), out var known) ? known : [];
            messages[int.Parse(parts[1], CultureInfo.InvariantCulture)] = found;
            foreach (var (name, value) in ImapItems.Read(parts[3]))
                found[name] = value;
        }

        return messages;
    }

    /// <summary>Reads a line with its literals, one character for each octet; null at the end of the connection.</summary>
    public async Task<string?> ReadLineAsync()
    {
        var text = new StringBuilder();
        while (true)
        {
            var start = text.Length;
            int octet;
            while ((octet = await ReadOctetAsync()) is >= 0 and not '\n')
                text.Append((char)octet);
            if (octet < 0)
                return text.Length == 0 ? null : text.ToString();
            if (text.Length > start && text[^1] == '\r')
                text.Length--;
            var open = text.ToString(start, text.Length - start).LastIndexOf('{');
            if (open < 0 || text[^1] != '}' || !int.TryParse(text.ToString(start + open + 1, text.Length - start - open - 2), NumberStyles.None, CultureInfo.InvariantCulture, out var length))
                return text.ToString();
            text.Append("\r\n");
            var literal = new byte[length];
            await input.ReadExactlyAsync(literal);
            text.Append(Encoding.Latin1.GetString(literal));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await input.DisposeAsync();
        socket.Dispose();
    }

    private async ValueTask<int> ReadOctetAsync()
    {
        var one = new byte[1];
        return await input.ReadAsync(one) == 0 ? -1 : one[0];
    }
}

/// <summary>Splits the items of a FETCH reply.</summary>
internal static class ImapItems
{
    public static IEnumerable<(string Name, string Value)> Read(string text)
    {
        var at = 1;
        while (at < text.Length && text[at] != ')')
        {
            var name = Name(text, ref at);
            at++;
            yield return (name, Value(text, ref at));
            while (at < text.Length && text[at] == ' ')
                at++;
        }
    }

    private static string Name(string text, ref int at)
    {
        var start = at;
        var isInBrackets = false;
        for (; at < text.Length && (isInBrackets || text[at] != ' '); at++)
            isInBrackets = text[at] == '[' || (isInBrackets && text[at] != ']');
        return text[start..at].ToUpperInvariant().Replace("\"", "", StringComparison.Ordinal);
    }

    private static string Value(string text, ref int at)
    {
        switch (text[at])
        {
            case '(':
                at++;
                var items = new List<string>();
                while (text[at] != ')')
                {
                    if (text[at] == ' ')
                        at++;
                    else
                        items.Add(Value(text, ref at));
                }

                at++;
                return $"({string.Join(' ', items)})";
            case '"':
                var quoted = new StringBuilder();
                for (at++; text[at] != '"'; at++)
                {
                    if (text[at] == '\\')
                        at++;
                    quoted.Append(text[at]);
                }

                at++;
                return $"\"{quoted}\"";
            case '{':
                var close = text.IndexOf('}', at);
                var length = int.Parse(text.AsSpan((at + 1)..close), CultureInfo.InvariantCulture);
                at = close + 3 + length;
                return $"\"{text.Substring(close + 3, length)}\"";
            default:
                var start = at;
                while (at < text.Length && text[at] is not (' ' or ')'))
                    at++;
                return text[start..at];
        }
    }
}
