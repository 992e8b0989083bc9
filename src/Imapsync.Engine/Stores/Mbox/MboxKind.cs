using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>Directories of mbox files: <c>mbox:PATH</c>.</summary>
internal sealed class MboxKind : TargetKind<MboxEndpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["mbox"];

    public override ImmutableArray<string> UrlForms { get; } = ["mbox:PATH"];

    public override Endpoint? Read(IEndpointSettings settings) => settings.ReadPath() is { } directory ? new MboxEndpoint(directory) : null;

    protected override Task<ITargetStore> OpenTargetAsync(MboxEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        MboxStore.OpenAsync(endpoint, forWriting, context, cancellationToken);
}
