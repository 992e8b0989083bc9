using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>UID EXPUNGE (RFC 4315 §2.1): of the messages named those marked \Deleted; only where UIDPLUS is offered.</summary>
    public async Task ExpungeAsync(string set, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new PlainCommand("UID EXPUNGE", set, CommandClass.NeedsSelection), cancellationToken);
}
