using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// Sends NOTIFY (RFC 5465). From then on the server reports every change in the user's own folders, except in the selected one, until
    /// the connection ends. A second call starts NOTIFY again.
    /// </summary>
    /// <param name="onNews">
    /// Called on the read loop for each change that the server reports outside the answer to a command; it must return quickly. After
    /// <see cref="FolderNewsKind.Overflow"/> the server reports nothing more.
    /// </param>
    /// <exception cref="ImapCommandException">The server refuses NOTIFY, or does not support all of these events (BADEVENT).</exception>
    public async Task NotifyAsync(Action<FolderNews> onNews, CancellationToken cancellationToken)
    {
        // Set this before the command is sent, because the server may report the first change ahead of its answer.
        connection.OnNews = onNews;
        try
        {
            await connection.ExecuteAsync(new PlainCommand("NOTIFY", "SET (personal (MessageNew MessageExpunge FlagChange MailboxName))"), cancellationToken);
        }
        catch
        {
            connection.OnNews = null;
            throw;
        }
    }
}
