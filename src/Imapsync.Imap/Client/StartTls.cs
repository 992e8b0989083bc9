using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

/// <summary>STARTTLS (RFC 9051 §6.2.1).</summary>
/// <param name="secure">Puts TLS over the stream.</param>
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
        // What was sent in the clear behind the OK was not said by the server we are about to verify (CVE-2011-0411).
        if (!buffered.IsEmpty)
            throw new ImapProtocolException("the server, or someone between, sent octets between STARTTLS and TLS: injection");
        return secure(plain);
    }
}
