using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace Imapsync.Bench;

/// <summary>A client that only sends commands and waits for their tags; it discards the octets it reads without parsing them.</summary>
internal sealed class RawImap : IAsyncDisposable
{
    private const int KeptCharacters = 4000;

    private readonly byte[] buffer = new byte[1 << 20];
    private readonly Stream stream;
    private int number;

    private RawImap(Stream stream) => this.stream = stream;

    /// <summary>Connects and logs in.</summary>
    public static async Task<RawImap> ConnectAsync(ImapPlace place)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync("127.0.0.1", place.Port);
        Stream stream = new NetworkStream(socket, ownsSocket: true);
        if (place.IsTls)
        {
#pragma warning disable CA5359 // The server is the benchmark's own, and what is measured is how fast it is.
            var tls = new SslStream(stream, leaveInnerStreamOpen: false, (_, _, _, _) => true);
#pragma warning restore CA5359
            await tls.AuthenticateAsClientAsync("localhost");
            stream = tls;
        }

        var client = new RawImap(stream);
        _ = await stream.ReadAsync(client.buffer);
        await client.CommandAsync($"LOGIN {place.User} {place.Server.Password}");
        return client;
    }

    /// <summary>Sends a command and reads until its tagged reply.</summary>
    /// <returns>The last few thousand characters received.</returns>
    public async Task<string> CommandAsync(string command)
    {
        var tag = NextTag();
        await SendAsync(Encoding.Latin1.GetBytes($"{tag} {command}\r\n"));
        return await ReplyAsync(tag);
    }

    public string NextTag() => $"t{++number}";

    public ValueTask SendAsync(ReadOnlyMemory<byte> octets) => stream.WriteAsync(octets);

    /// <exception cref="InvalidOperationException">The reply was NO or BAD, or the connection ended.</exception>
    public async Task<string> ReplyAsync(string tag)
    {
        var tail = "";
        while (true)
        {
            var count = await stream.ReadAsync(buffer);
            if (count == 0)
                throw new InvalidOperationException("the server hung up: " + tail);
            tail += Encoding.Latin1.GetString(buffer, Math.Max(0, count - KeptCharacters), Math.Min(count, KeptCharacters));
            if (tail.Length > KeptCharacters)
                tail = tail[^KeptCharacters..];
            if (!tail.EndsWith("\r\n", StringComparison.Ordinal))
                continue;
            var line = tail[(tail.LastIndexOf('\n', tail.Length - 2) + 1)..];
            if (!line.StartsWith(tag + " ", StringComparison.Ordinal))
                continue;
            return line.StartsWith(tag + " OK", StringComparison.Ordinal) ? tail : throw new InvalidOperationException("the server says: " + line);
        }
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
