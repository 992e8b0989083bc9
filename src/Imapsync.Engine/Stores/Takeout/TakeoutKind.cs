using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Takeout;

/// <summary>A file that Google Takeout exported from a Gmail account; it can only be a source.</summary>
public sealed record TakeoutEndpoint(string File) : Endpoint
{
    public override string Display => "takeout:" + File;

    public override string? Place => File;

    public override bool MayHaveLabels => true;
}

/// <summary>Files of Google Takeout: <c>takeout:FILE.mbox</c>.</summary>
internal sealed class TakeoutKind : SourceKind<TakeoutEndpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["takeout"];

    public override ImmutableArray<string> UrlForms { get; } = ["takeout:FILE"];

    public override bool IsFile => true;

    public override Endpoint? Read(IEndpointSettings settings) => settings.ReadPath() is { } file ? new TakeoutEndpoint(file) : null;

    protected override Task<IMessageStore> OpenAsync(TakeoutEndpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        TakeoutStore.OpenAsync(endpoint, context, cancellationToken);
}
