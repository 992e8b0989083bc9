using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

public sealed partial class ImapStore
{
    private bool hasNoCompression;

    private async Task<ImapClient> ConnectAsync(CancellationToken cancellationToken)
    {
        ImapClient? client = null;
        await context.Connecting(endpoint.Address, async () => client = await ConnectAndLogInAsync(cancellationToken));
        return client!;
    }

    private async Task<ImapClient> ConnectAndLogInAsync(CancellationToken cancellationToken)
    {
        ImapClient client;
        try
        {
            client = await ImapClient.ConnectAsync(WireOptions.Of(endpoint, context, dial), cancellationToken);
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw ImapFailure.Connecting(e, $"cannot connect to {endpoint.Display}");
        }

        var offered = client.Capabilities;
        try
        {
            if (endpoint.Route.TunnelCommand is not null)
                RequireWanted(client);
            var secret = endpoint.Password is null ? "" : (await endpoint.Password.ReadAsync(cancellationToken)).Reveal();
            await client.LogInAsync(new ImapCredentials(endpoint.User, secret, WireOptions.MechanismOf(endpoint), endpoint.AuthorizeAs), cancellationToken);
            if (endpoint.Compress)
                await CompressAsync(client, cancellationToken);
            return client;
        }
        catch (Exception e)
        {
            await client.DisposeAsync();
            if (ImapFailure.IsImap(e))
                throw ImapFailure.LogIn(e, $"cannot log in to {endpoint.Display}", LogInRemedy.For(offered, endpoint));
            throw;
        }
    }

    /// <summary>A session that a command brings is of whoever the command runs for: nothing can be added to it.</summary>
    private void RequireWanted(ImapClient client)
    {
        var trouble = client.IsPreAuthenticated
            ? endpoint.AuthorizeAs is null ? null : "the command's session is logged in already, so authorize_as can't be carried: take it out, and let the command open that mailbox (doveadm exec imap -u USER)"
            : endpoint.Password is null && LogInNeedsPassword ? "the server behind the command wants a log-in, and there is no password: add password_env, password_file or password_command" : null;
        if (trouble is not null)
            throw new MailException(FailureScope.Store, isTransient: false, $"cannot log in to {endpoint.Display}: {trouble}") { Kind = FailureKind.Authentication };
    }

    private bool LogInNeedsPassword => endpoint.Auth is not (AuthMechanism.External or AuthMechanism.Anonymous or AuthMechanism.Gssapi);

    private async Task CompressAsync(ImapClient client, CancellationToken cancellationToken)
    {
        var answer = "it does not offer COMPRESS=DEFLATE";
        try
        {
            if (client.Capabilities.HasCompressDeflate)
            {
                await client.CompressAsync(cancellationToken);
                return;
            }
        }
        catch (ImapCommandException e)
        {
            answer = e.Message;
        }

        if (Interlocked.Exchange(ref hasNoCompression, true) == false)
            context.OnNote($"{endpoint.Display}: not compressed: {answer}");
    }
}
