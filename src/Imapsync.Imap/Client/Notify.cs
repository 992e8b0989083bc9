using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// Has the server tell of every change in the user's own folders, for as long as the connection lasts and whatever else it is used for.
    /// With a folder selected, changes of that one are not told. Asked again, it begins anew.
    /// </summary>
    /// <param name="onNews">
    /// Told each change that comes outside the answer to a command, on the read loop, which it must not hold up. After
    /// <see cref="FolderNewsKind.Overflow"/> nothing more comes.
    /// </param>
    /// <exception cref="ImapCommandException">The server does not tell, or not all of that (BADEVENT).</exception>
    public async Task NotifyAsync(Action<FolderNews> onNews, CancellationToken cancellationToken)
    {
        // Before it is asked: the first change may be told ahead of the answer.
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
