using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Engine.Stores.ReadOnly;
using Imapsync.Imap;
using Imapsync.Imap.Pop3;

namespace Imapsync.Engine.Stores.Pop3;

/// <summary>
/// A POP3 account. It has one folder, INBOX, without flags. Dates come from the messages' headers. POP3 permits only one session at a time.
/// A lost session is replaced when the folder is next opened.
/// </summary>
internal sealed class Pop3Store : ReadOnlyStore
{
    private readonly Pop3Endpoint endpoint;
    private readonly StoreContext context;
    private readonly Func<CancellationToken, ValueTask<Stream>>? dial;
    private readonly SemaphoreSlim turn = new(1, 1);
    private Pop3Mailbox? mailbox;

    private Pop3Store(Pop3Endpoint endpoint, StoreContext context, Func<CancellationToken, ValueTask<Stream>>? dial)
        : base(new StoreTraits(endpoint.Display, StatusShowsFlagChanges: false, MaxConcurrentFolders: 1)) =>
        (this.endpoint, this.context, this.dial) = (endpoint, context, dial);

    /// <summary>
    /// The messages during whose transfer a session broke, with the number of breaks. Each is requested alone, and given up after several
    /// breaks.
    /// </summary>
    public ReadFailures Failures { get; } = new(new BodySizes());

    public bool DeletesAfterCopy => endpoint.DeletesAfterCopy;

    public static Task<IMessageStore> OpenAsync(Pop3Endpoint endpoint, StoreContext context, CancellationToken cancellationToken) =>
        OpenAsync(endpoint, context, dial: null, cancellationToken);

    /// <param name="dial">Makes the network connection in place of TCP; null for TCP.</param>
    internal static async Task<IMessageStore> OpenAsync(
        Pop3Endpoint endpoint, StoreContext context, Func<CancellationToken, ValueTask<Stream>>? dial, CancellationToken cancellationToken)
    {
        var store = new Pop3Store(endpoint, context, dial);
        try
        {
            await store.MailboxAsync(cancellationToken);
            return store;
        }
        catch
        {
            await store.DisposeAsync();
            throw;
        }
    }

    public override async Task<IReadOnlyList<FolderEntry>> ListFoldersAsync(CancellationToken cancellationToken) =>
        [new FolderEntry(FolderPath.Inbox, Special: SpecialFolder.Inbox, Subscribed: true, Status: (await MailboxAsync(cancellationToken)).Status)];

    public override async Task<FolderStatus> GetStatusAsync(FolderPath path, CancellationToken cancellationToken) =>
        path.IsInbox ? (await MailboxAsync(cancellationToken)).Status : throw NoFolder(path);

    public override async Task<IMessageFolder> OpenAsync(FolderPath path, CancellationToken cancellationToken) =>
        path.IsInbox ? new Pop3Folder(this, await MailboxAsync(cancellationToken)) : throw NoFolder(path);

    public override async Task<IReadOnlyList<StoreFact>> DescribeAsync(CancellationToken cancellationToken)
    {
        var now = await MailboxAsync(cancellationToken);
        return
        [
            new StoreFact("Greeting", now.Client.Greeting),
            new StoreFact("Transport", endpoint.Tls switch { TlsMode.Implicit => "TLS", TlsMode.StartTls => "STLS", _ => "clear text" }, IsWarning: endpoint.Tls == TlsMode.None),
            new StoreFact("Capabilities", now.Client.Capabilities.ToString()),
            new StoreFact("Messages", $"{now.Status.Messages}"),
            new StoreFact("Not told by POP3", "flags, keywords and folders; the date of arrival is taken from the header"),
            new StoreFact("After copying", DeletesAfterCopy ? "mail is deleted at the server" : "mail stays at the server"),
        ];
    }

    public override async ValueTask DisposeAsync()
    {
        if (mailbox is not null)
            await mailbox.Client.DisposeAsync();
        mailbox = null;
        turn.Dispose();
        await base.DisposeAsync();
    }

    /// <summary>Returns the current session, or a new one where there is none any more.</summary>
    private async Task<Pop3Mailbox> MailboxAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            if (mailbox is { Client.IsBroken: false } open)
                return open;
            if (mailbox is not null)
                await mailbox.Client.DisposeAsync();
            mailbox = null;
            Pop3Client? client = null;
            await context.Connecting(endpoint.Address, async () => client = await ConnectAsync(cancellationToken));
            try
            {
                return mailbox = await Pop3Mailbox.ReadAsync(client!, endpoint, context, cancellationToken);
            }
            catch (Exception e)
            {
                await client!.DisposeAsync();
                if (Pop3Failure.IsPop3(e))
                    throw Pop3Failure.Translate(e, FailureScope.Store, $"the messages of {endpoint.Display} can't be listed");
                throw;
            }
        }
        finally
        {
            turn.Release();
        }
    }

    private async Task<Pop3Client> ConnectAsync(CancellationToken cancellationToken)
    {
        var client = await ReachAsync(cancellationToken);
        var offered = client.Capabilities.LogIn;
        var secret = new Secret("");
        try
        {
            if (endpoint.Password is not null)
                secret = await endpoint.Password.ReadAsync(cancellationToken);
            try
            {
                await LogInAsync(client, secret, cancellationToken);
            }
            catch (Pop3RefusedException e) when (endpoint.Password is TokenReference tokens && ImapFailure.IsForGood(e.Reply))
            {
                // A token may expire early, so another one is requested, once.
                secret = await tokens.RenewAsync(secret, cancellationToken);
                await client.DisposeAsync();
                client = await ReachAsync(cancellationToken);
                await LogInAsync(client, secret, cancellationToken);
            }

            return client;
        }
        catch (Exception e)
        {
            await client.DisposeAsync();
            if (Pop3Failure.IsPop3(e))
                throw Pop3Failure.LogIn(e, $"cannot log in to {endpoint.Display}", LogInRemedy.For(offered, endpoint, secret, (e as Pop3RefusedException)?.TokenRefusal));
            throw;
        }
    }

    private Task LogInAsync(Pop3Client client, Secret secret, CancellationToken cancellationToken) =>
        client.LogInAsync(new ImapCredentials(endpoint.User, secret.Reveal(), WireOptions.MechanismOf(endpoint, client.Capabilities.LogIn), endpoint.AuthorizeAs), cancellationToken);

    private async Task<Pop3Client> ReachAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await Pop3Client.ConnectAsync(WireOptions.Of(endpoint, context, dial), cancellationToken);
        }
        catch (Exception e) when (Pop3Failure.IsPop3(e))
        {
            throw Pop3Failure.Connecting(e, $"cannot connect to {endpoint.Display}");
        }
    }
}
