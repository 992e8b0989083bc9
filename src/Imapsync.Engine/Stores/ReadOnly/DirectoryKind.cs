using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.ReadOnly;

/// <summary>A directory in which another program stores mail, to be read.</summary>
/// <param name="Scheme">The scheme of its URL.</param>
public abstract record DirectoryEndpoint(string Scheme, string Directory) : Endpoint
{
    public override string Display => $"{Scheme}:{Directory}";

    public override string? Place => Directory;
}

/// <summary>A kind of store whose endpoints are directories of another program: <c>SCHEME:PATH</c>.</summary>
/// <param name="make">Makes the endpoint from an absolute path.</param>
internal abstract class DirectoryKind<T>(string scheme, Func<string, T> make) : SourceKind<T>
    where T : DirectoryEndpoint
{
    public override ImmutableArray<string> Schemes { get; } = [scheme];

    public override ImmutableArray<string> UrlForms { get; } = [$"{scheme}:PATH"];

    public override Endpoint? Read(IEndpointSettings settings) => settings.ReadPath() is { } directory ? make(directory) : null;
}
