using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.ImapBackup;

/// <summary>One account as the program imap-backup keeps it, to read from.</summary>
public sealed record ImapBackupEndpoint(string Directory) : Endpoint
{
    public override string Display => "imap-backup:" + Directory;

    public override string? Place => Directory;
}

/// <summary>Accounts of imap-backup: <c>imap-backup:PATH</c>.</summary>
internal sealed class ImapBackupKind : StoreKind<ImapBackupEndpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["imap-backup"];

    public override ImmutableArray<string> UrlForms { get; } = ["imap-backup:PATH"];

    public override bool IsSourceOnly => true;

    public override Endpoint? Read(IEndpointSettings settings) => settings.ReadPath() is { } directory ? new ImapBackupEndpoint(directory) : null;

    protected override Task<IMessageStore> OpenAsync(ImapBackupEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        ImapBackupStore.OpenAsync(endpoint, context, cancellationToken);
}
