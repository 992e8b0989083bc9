using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Tests.Support;

/// <summary>One reply of a server.</summary>
/// <param name="Text">The reply's lines without CRLF; of each literal only its <c>{n}</c>.</param>
/// <param name="Literals">The octets of each literal that is not a message body.</param>
/// <param name="Body">Digest and length of the literal after <c>BODY[]</c>.</param>
public sealed record ProbeReply(string Text, IReadOnlyList<byte[]> Literals, (string Digest, long Length)? Body);

/// <summary>Splits a server's octets into replies. A body is hashed as it arrives and never held in memory.</summary>
internal sealed class ImapProbeReader(Stream stream)
{
    private readonly byte[] buffer = new byte[128 * 1024];
    private int start;
    private int end;

    public async Task<ProbeReply> ReadAsync()
    {
        var text = new StringBuilder();
        var literals = new List<byte[]>();
        (string, long)? body = null;
        while (true)
        {
            var line = await ReadLineAsync();
            text.Append(line);
            var open = line.LastIndexOf('{');
            if (!line.EndsWith('}') || open < 0 || !long.TryParse(line.AsSpan(open + 1, line.Length - open - 2), out var length))
                return new ProbeReply(text.ToString(), literals, body);
            if (line.AsSpan(0, open).TrimEnd().EndsWith("BODY[]"))
                body = (await HashAsync(length), length);
            else
                literals.Add(await TakeAsync(length));
        }
    }

    private async Task<string> ReadLineAsync()
    {
        var line = new StringBuilder();
        while (true)
        {
            if (start == end)
                await FillAsync();
            var lineEnd = buffer.AsSpan(start, end - start).IndexOf((byte)'\n');
            var take = lineEnd < 0 ? end - start : lineEnd + 1;
            line.Append(Encoding.Latin1.GetString(buffer, start, take));
            start += take;
            if (lineEnd >= 0)
                return line.ToString().TrimEnd('\n').TrimEnd('\r');
        }
    }

    private async Task<string> HashAsync(long length)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (length > 0)
        {
            if (start == end)
                await FillAsync();
            var take = (int)Math.Min(length, end - start);
            hash.AppendData(buffer.AsSpan(start, take));
            start += take;
            length -= take;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private async Task<byte[]> TakeAsync(long length)
    {
        var octets = new byte[length];
        for (var at = 0; at < octets.Length;)
        {
            if (start == end)
                await FillAsync();
            var take = Math.Min(octets.Length - at, end - start);
            buffer.AsSpan(start, take).CopyTo(octets.AsSpan(at));
            start += take;
            at += take;
        }

        return octets;
    }

    private async Task FillAsync()
    {
        start = 0;
        end = await stream.ReadAsync(buffer);
        if (end == 0)
            throw new EndOfStreamException("the server ended the connection");
    }
}
