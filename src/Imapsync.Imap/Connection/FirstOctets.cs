using System.Text;

namespace Imapsync.Imap.Connection;

/// <summary>
/// Inspects the server's first octets. Throws at once if (1) the server speaks TLS where clear text is expected, (2) it
/// speaks clear text where TLS is expected, or (3) it speaks another protocol. Without this check such a mistake would
/// look like a timeout or a network failure.
/// </summary>
internal sealed class FirstOctets(Stream inner, ImapClientOptions options) : DuplexStream
{
    private const int Needed = 4;

    private static readonly (string Word, string Protocol)[] Strangers =
        [("+OK ", "POP3"), ("220 ", "SMTP or FTP"), ("220-", "SMTP or FTP"), ("HTTP", "HTTP"), ("SSH-", "SSH")];

    private readonly byte[] seen = new byte[Needed];
    private int count;

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = inner.ReadAsync(buffer, cancellationToken);
        return count == Needed ? read : LookAsync(read, buffer);
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override void Flush() => inner.Flush();

    /// <summary>The error for a port that speaks TLS where a clear-text greeting was expected.</summary>
    public static ImapConnectionException SpeaksTls(ImapClientOptions options) =>
        new(ConnectionFailure.Tls, $"{options.Address} speaks TLS from the first octet, without a greeting before it") { SpeaksInstead = ImapTls.Implicit };

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> LookAsync(ValueTask<int> reading, Memory<byte> buffer)
    {
        var read = await reading;
        var more = Math.Min(read, Needed - count);
        buffer.Span[..more].CopyTo(seen.AsSpan(count));
        count += more;
        if (count == Needed)
            Judge();
        return read;
    }

    /// <exception cref="ImapConnectionException">The peer does not speak the protocol that the options ask for.</exception>
    private void Judge()
    {
        var word = Encoding.Latin1.GetString(seen);
        if (Array.Find(Strangers, s => s.Word == word) is { Protocol: { } protocol })
            throw new ImapConnectionException(ConnectionFailure.Tls, $"what answers at {options.Address} is no IMAP server: it speaks {protocol}");
        if (options.Tls == ImapTls.Implicit)
        {
            // A clear-text BYE is not an error here: a server that is too busy for TLS may send it.
            if (word is "* OK" or "* PR")
                throw new ImapConnectionException(ConnectionFailure.Tls, $"{options.Address} greets in clear text, where TLS was to come first") { SpeaksInstead = ImapTls.StartTls };
        }
        else if (seen is [0x15 or 0x16, 0x03, <= 0x04, _])
        {
            // These octets begin a TLS alert (0x15) or a TLS handshake (0x16).
            throw SpeaksTls(options);
        }
    }
}
