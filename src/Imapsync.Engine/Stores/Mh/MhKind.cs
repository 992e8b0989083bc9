using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Engine.Stores.ReadOnly;

namespace Imapsync.Engine.Stores.Mh;

/// <summary>An MH tree to be read, also one of Claws Mail, Sylpheed or Evolution.</summary>
public sealed record MhEndpoint(string Directory) : DirectoryEndpoint(MhKind.Scheme, Directory);

/// <summary>MH trees: <c>mh:PATH</c>.</summary>
internal sealed class MhKind() : DirectoryKind<MhEndpoint>(Scheme, directory => new MhEndpoint(directory))
{
    public const string Scheme = "mh";

    protected override Task<IMessageStore> OpenAsync(MhEndpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        MailFileStore.OpenAsync(endpoint, new MhTree(endpoint.Directory), context, cancellationToken);
}
