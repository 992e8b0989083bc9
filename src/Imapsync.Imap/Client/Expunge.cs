using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>UID EXPUNGE (RFC 4315 §2.1) removes the messages of the set that are marked \Deleted. Requires UIDPLUS.</summary>
    public async Task ExpungeAsync(string set, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new PlainCommand("UID EXPUNGE", set, CommandClass.NeedsSelection), cancellationToken);
}
