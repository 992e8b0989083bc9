using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Thunderbird;

/// <summary>A profile of Thunderbird, or one account's directory in it, to read from.</summary>
public sealed record ThunderbirdEndpoint(string Directory) : Endpoint
{
    public override string Display => "thunderbird:" + Directory;

    public override string? Place => Directory;
}

/// <summary>Profiles of Thunderbird: <c>thunderbird:PATH</c>.</summary>
internal sealed class ThunderbirdKind : StoreKind<ThunderbirdEndpoint>
{
    public override ImmutableArray<string> Schemes { get; } = ["thunderbird"];

    public override ImmutableArray<string> UrlForms { get; } = ["thunderbird:PATH"];

    public override bool IsSourceOnly => true;

    public override Endpoint? Read(IEndpointSettings settings) => settings.ReadPath() is { } directory ? new ThunderbirdEndpoint(directory) : null;

    protected override Task<IMessageStore> OpenAsync(ThunderbirdEndpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        ThunderbirdStore.OpenAsync(endpoint, context, cancellationToken);
}
