namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>RENAME (RFC 9051 §6.3.6).</summary>
    public async Task RenameAsync(string wireName, string newWireName, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new PlainCommand("RENAME", strings: [wireName, newWireName]), cancellationToken);
}
