using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>IMAP accounts: <c>imaps://</c> is TLS from the first octet, <c>imap://</c> STARTTLS.</summary>
internal sealed class ImapKind : TargetKind<ImapEndpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["imaps", "imap"];

    public override ImmutableArray<string> UrlForms { get; } = ["imaps://USER@HOST", "imap://USER@HOST"];

    public override bool IsServer => true;

    public override bool HasConnections => true;

    public override ImmutableArray<StoreSetting> Settings { get; } =
        [new("compress", "Whether to compress what goes over the line, where the server can.", ["false", "true"])];

    public override Endpoint? Read(IEndpointSettings settings) =>
        settings.ReadServer(993, 143, (host, port, tls, user) => new ImapEndpoint(host, port, tls, user)
        {
            Compress = settings.Choice("compress", ("false", false), ("true", true)),
            Connections = settings.Connections,
        });

    protected override Task<ITargetStore> OpenTargetAsync(ImapEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        ImapStore.OpenAsync(endpoint, context, cancellationToken);

    public override Task<IChangeFeed?> ListenAsync(Endpoint endpoint, ListenRequest request, StoreContext context, CancellationToken cancellationToken) =>
        ImapStore.ListenAsync((ImapEndpoint)endpoint, request, context, null, cancellationToken);
}
