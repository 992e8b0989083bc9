using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Pop3;

/// <summary>An account on a POP3 server, which can only be a source.</summary>
/// <param name="User">The name to log in with, as the server expects it.</param>
public sealed record Pop3Endpoint(string Host, int Port, TlsMode Tls, string User) : ServerEndpoint(Host, Port, Tls, User)
{
    public override string Scheme => Tls == TlsMode.Implicit ? "pop3s" : "pop3";

    /// <summary>Whether messages are deleted from the server once they are safely stored at the target.</summary>
    public bool DeletesAfterCopy { get; init; }

    public override bool RemovesCopied => DeletesAfterCopy;

    public override bool KnowsFlags => false;
}

/// <summary>POP3 accounts: <c>pop3s://</c> is TLS from the first octet, <c>pop3://</c> is STLS.</summary>
internal sealed class Pop3Kind : SourceKind<Pop3Endpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["pop3s", "pop3"];

    public override ImmutableArray<string> UrlForms { get; } = ["pop3s://USER@HOST"];

    public override bool IsServer => true;

    public override ImmutableArray<StoreSetting> Settings { get; } =
        [new("after_copy", "Whether what is safely in the target is kept on the POP3 server or deleted there.", ["keep", "delete"])];

    public override Endpoint? Read(IEndpointSettings settings) =>
        settings.ReadServer(995, 110, (host, port, tls, user) => new Pop3Endpoint(host, port, tls, user)
        {
            DeletesAfterCopy = settings.Choice("after_copy", ("keep", false), ("delete", true)),
        });

    protected override Task<IMessageStore> OpenAsync(Pop3Endpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        Pop3Store.OpenAsync(endpoint, context, cancellationToken);
}
