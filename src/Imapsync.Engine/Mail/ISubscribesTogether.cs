namespace Imapsync.Engine.Mail;

/// <summary>A store where many subscriptions cost what one does.</summary>
public interface ISubscribesTogether
{
    /// <param name="wanted">Whether each folder is to be subscribed.</param>
    /// <exception cref="MailException">Folder scope: none was changed, or all were.</exception>
    Task SetSubscribedAsync(IReadOnlyDictionary<FolderPath, bool> wanted, CancellationToken cancellationToken);
}
