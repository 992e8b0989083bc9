using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Stores.Maildir;
using Imapsync.Engine.Stores.Mbox;

namespace Imapsync.Engine.Stores;

/// <summary>Opens the store an endpoint names: connected and logged in, or its directory there and usable.</summary>
/// <param name="forWriting">The store is a target: its directory may be created.</param>
public delegate Task<IMessageStore> StoreOpener(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken);

/// <summary>The stores there are, a line each.</summary>
public static class StoreRegistry
{
    public static Task<IMessageStore> OpenAsync(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        endpoint switch
        {
            ImapEndpoint imap => ImapStore.OpenAsync(imap, context, cancellationToken),
            MaildirEndpoint maildir => MaildirStore.OpenAsync(maildir, forWriting, context, cancellationToken),
            MboxEndpoint mbox => MboxStore.OpenAsync(mbox, forWriting, context, cancellationToken),
            _ => throw new NotSupportedException($"no store for {endpoint.Display}"),
        };
}
