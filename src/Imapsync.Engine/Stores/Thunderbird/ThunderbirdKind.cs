using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.ReadOnly;

namespace Imapsync.Engine.Stores.Thunderbird;

/// <summary>A Thunderbird profile, or the directory of one account in it, to be read.</summary>
public sealed record ThunderbirdEndpoint(string Directory) : DirectoryEndpoint(ThunderbirdKind.Scheme, Directory);

/// <summary>Profiles of Thunderbird: <c>thunderbird:PATH</c>.</summary>
internal sealed class ThunderbirdKind() : DirectoryKind<ThunderbirdEndpoint>(Scheme, directory => new ThunderbirdEndpoint(directory))
{
    public const string Scheme = "thunderbird";

    protected override Task<IMessageStore> OpenAsync(ThunderbirdEndpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        ThunderbirdStore.OpenAsync(endpoint, context, cancellationToken);
}
