using System.Collections.Immutable;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.MailFiles;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>A directory of <c>.eml</c> files, to read from.</summary>
public sealed record EmlEndpoint(string Directory) : Endpoint
{
    public override string Display => "eml:" + Directory;

    public override string? Place => Directory;

    public override bool KnowsFlags => false;
}

/// <summary>Directories of .eml files: <c>eml:PATH</c>.</summary>
internal sealed class EmlKind : SourceKind<EmlEndpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["eml"];

    public override ImmutableArray<string> UrlForms { get; } = ["eml:PATH"];

    public override Endpoint? Read(IEndpointSettings settings) => settings.ReadPath() is { } directory ? new EmlEndpoint(directory) : null;

    protected override Task<IMessageStore> OpenAsync(EmlEndpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        MailFileStore.OpenAsync(endpoint, new EmlTree(endpoint.Directory), context, cancellationToken);
}
