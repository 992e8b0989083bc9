namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>NOOP (RFC 9051 §6.1.2): gives the server an opportunity to report changes in the selected folder.</summary>
    public async Task NoopAsync(CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new PlainCommand("NOOP"), cancellationToken);
}
