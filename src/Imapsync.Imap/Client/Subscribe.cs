namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>SUBSCRIBE, UNSUBSCRIBE (RFC 9051 §6.3.7, §6.3.8).</summary>
    public async Task SubscribeAsync(string wireName, bool subscribe, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new PlainCommand(subscribe ? "SUBSCRIBE" : "UNSUBSCRIBE", strings: [wireName]), cancellationToken);
}
