using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

/// <summary>STARTTLS (RFC 9051 §6.2.1).</summary>
/// <param name="secure">Wraps the stream in TLS.</param>
internal sealed class StartTlsCommand(Func<Stream, ValueTask<Stream>> secure) : ImapCommand
{
    public override string Name => "STARTTLS";

    public override CommandClass Class => CommandClass.Alone;

    public override Func<Stream, ReadOnlyMemory<byte>, ValueTask<Stream>> Upgrade => SecureAsync;

    public override ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("STARTTLS");
        return ValueTask.CompletedTask;
    }

    private ValueTask<Stream> SecureAsync(Stream plain, ReadOnlyMemory<byte> buffered)
    {
        // Octets that follow the OK in clear text may come from an attacker instead of the server that TLS is about to verify. So
        // reject them (CVE-2011-0411).
        if (!buffered.IsEmpty)
            throw new ImapProtocolException("the server, or someone between, sent octets between STARTTLS and TLS: injection");
        return secure(plain);
    }
}
