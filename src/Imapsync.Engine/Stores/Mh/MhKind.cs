using System.Collections.Immutable;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.MailFiles;

namespace Imapsync.Engine.Stores.Mh;

/// <summary>An MH tree, also as Claws Mail, Sylpheed and Evolution keep it, to read from.</summary>
public sealed record MhEndpoint(string Directory) : Endpoint
{
    public override string Display => "mh:" + Directory;

    public override string? Place => Directory;
}

/// <summary>MH trees: <c>mh:PATH</c>.</summary>
internal sealed class MhKind : StoreKind<MhEndpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["mh"];

    public override ImmutableArray<string> UrlForms { get; } = ["mh:PATH"];

    public override bool IsSourceOnly => true;

    public override Endpoint? Read(IEndpointSettings settings) => settings.ReadPath() is { } directory ? new MhEndpoint(directory) : null;

    protected override Task<IMessageStore> OpenAsync(MhEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        MailFileStore.OpenAsync(endpoint, new MhTree(endpoint.Directory), context, cancellationToken);
}
