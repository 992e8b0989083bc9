using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>UID COPY (RFC 9051 §6.4.7), or UID MOVE (RFC 6851).</summary>
    /// <param name="move">Whether to send UID MOVE, which requires that the server offers MOVE, instead of UID COPY.</param>
    public async Task CopyAsync(string set, string targetWireName, bool move, CancellationToken cancellationToken) =>
        await connection.ExecuteAsync(new PlainCommand(move ? "UID MOVE" : "UID COPY", set, CommandClass.NeedsSelection, targetWireName), cancellationToken);
}
