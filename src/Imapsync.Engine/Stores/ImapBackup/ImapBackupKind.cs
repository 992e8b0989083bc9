using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.ReadOnly;

namespace Imapsync.Engine.Stores.ImapBackup;

/// <summary>An account's directory of the program imap-backup, to be read.</summary>
public sealed record ImapBackupEndpoint(string Directory) : DirectoryEndpoint(ImapBackupKind.Scheme, Directory);

/// <summary>Accounts of imap-backup: <c>imap-backup:PATH</c>.</summary>
internal sealed class ImapBackupKind() : DirectoryKind<ImapBackupEndpoint>(Scheme, directory => new ImapBackupEndpoint(directory))
{
    public const string Scheme = "imap-backup";

    protected override Task<IMessageStore> OpenAsync(ImapBackupEndpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        ImapBackupStore.OpenAsync(endpoint, context, cancellationToken);
}
