using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.MailFiles;
using Imapsync.Engine.Stores.ReadOnly;

namespace Imapsync.Engine.Stores.Emlx;

/// <summary>Mail as Apple Mail stores it, to be read: a directory of <c>.emlx</c> files in <c>.mbox</c> directories.</summary>
public sealed record EmlxEndpoint(string Directory) : DirectoryEndpoint(EmlxKind.Scheme, Directory);

/// <summary>Apple Mail: <c>emlx:PATH</c>.</summary>
internal sealed class EmlxKind() : DirectoryKind<EmlxEndpoint>(Scheme, directory => new EmlxEndpoint(directory))
{
    public const string Scheme = "emlx";

    protected override Task<IMessageStore> OpenAsync(EmlxEndpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        MailFileStore.OpenAsync(endpoint, new EmlxTree(endpoint.Directory), context, cancellationToken);
}
