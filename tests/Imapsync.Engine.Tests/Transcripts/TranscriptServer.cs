using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Transcripts;

/// <summary>A server that answers every connection with the replies of a transcript.</summary>
/// <param name="segment">The number of octets that one read returns.</param>
/// <param name="cut">The number of octets after which each connection is closed.</param>
/// <param name="damage">Changes the octets that are sent.</param>
internal sealed class TranscriptServer(
    Transcript transcript, int segment = int.MaxValue, int cut = int.MaxValue, Func<string, string>? damage = null)
{
    /// <summary>The largest number of octets sent on one connection.</summary>
    public int Sent { get; private set; }

    public ValueTask<Stream> DialAsync(CancellationToken cancellationToken)
    {
        var (server, client) = ScriptedServer.InMemory(segment);
        _ = ServeAsync(server, cancellationToken);
        return ValueTask.FromResult(client);
    }

    private async Task ServeAsync(ScriptedServer server, CancellationToken cancellationToken)
    {
        await using var _ = server;
        var used = new Dictionary<int, int>();
        var sent = 0;
        var next = transcript.Greeting;
        try
        {
            while (true)
            {
                next = damage?.Invoke(next) ?? next;
                var part = next[..Math.Min(next.Length, cut - sent)];
                await server.SendAsync(part, cancellationToken);
                sent += part.Length;
                Sent = Math.Max(Sent, sent);
                if (sent >= cut || await ReadCommandAsync(server, cancellationToken) is not { } line)
                    return;
                var blank = line.IndexOf(' ', StringComparison.Ordinal);
                var reply = transcript.Reply(line[(blank + 1)..], used);
                next = reply.Replace("$ ", line[..Math.Max(blank, 0)] + " ", StringComparison.Ordinal);
                if (next.Contains("* BYE", StringComparison.Ordinal))
                {
                    await server.SendAsync(next, cancellationToken);
                    return;
                }
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The client has closed the connection.
        }
    }

    private static async Task<string?> ReadCommandAsync(ScriptedServer server, CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        while (await server.ReadLineAsync(cancellationToken) is { } part)
        {
            line.Append(part);
            if (!part.EndsWith('}'))
                return line.ToString();
            await server.SendAsync("+ go\r\n", cancellationToken);
        }

        return null;
    }
}
