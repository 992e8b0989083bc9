using System.Collections.Immutable;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.MailFiles;

namespace Imapsync.Engine.Stores.Emlx;

/// <summary>The mail of Apple Mail: a directory of <c>.emlx</c> files in <c>.mbox</c> directories, to read from.</summary>
public sealed record EmlxEndpoint(string Directory) : Endpoint
{
    public override string Display => "emlx:" + Directory;

    public override string? Place => Directory;
}

/// <summary>Apple Mail: <c>emlx:PATH</c>.</summary>
internal sealed class EmlxKind : StoreKind<EmlxEndpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["emlx"];

    public override ImmutableArray<string> UrlForms { get; } = ["emlx:PATH"];

    public override bool IsSourceOnly => true;

    public override Endpoint? Read(IEndpointSettings settings) => settings.ReadPath() is { } directory ? new EmlxEndpoint(directory) : null;

    protected override Task<IMessageStore> OpenAsync(EmlxEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        MailFileStore.OpenAsync(endpoint, new EmlxTree(endpoint.Directory), context, cancellationToken);
}
