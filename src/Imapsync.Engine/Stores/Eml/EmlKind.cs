using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Eml;

/// <summary>A directory of <c>.eml</c> files.</summary>
public sealed record EmlEndpoint(string Directory) : Endpoint
{
    public override string Display => "eml:" + Directory;

    public override string? Place => Directory;

    /// <remarks>
    /// Only files that this program wrote have flags, in an index. Whether the directory has an index is unknown before it is read.
    /// </remarks>
    public override bool KnowsFlags => false;
}

/// <summary>The kind of store for directories of <c>.eml</c> files, with URLs of the form <c>eml:PATH</c>.</summary>
internal sealed class EmlKind : TargetKind<EmlEndpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["eml"];

    public override ImmutableArray<string> UrlForms { get; } = ["eml:PATH"];

    public override Endpoint? Read(IEndpointSettings settings) => settings.ReadPath() is { } directory ? new EmlEndpoint(directory) : null;

    protected override Task<ITargetStore> OpenTargetAsync(EmlEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        EmlStore.OpenAsync(endpoint, forWriting, context, cancellationToken);
}
