using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

public sealed partial class ImapStore
{
    private bool hasNoCompression;

    private async Task<ImapClient> ConnectAsync(CancellationToken cancellationToken)
    {
        // The token is read before the host is contacted, so that a failing authorization server does not count as a failure of the host.
        var token = endpoint.Password is TokenReference tokens ? await tokens.ReadAsync(cancellationToken) : null;
        ImapClient? client = null;
        await context.Connecting(endpoint.Address, async () => client = await ConnectAndLogInAsync(token, cancellationToken));
        return client!;
    }

    private async Task<ImapClient> ConnectAndLogInAsync(Secret? token, CancellationToken cancellationToken)
    {
        var client = await ReachAsync(cancellationToken);
        var offered = client.Capabilities;
        var secret = token ?? new Secret("");
        try
        {
            if (endpoint.Route.TunnelCommand is not null)
                RequireWanted(client);
            if (token is null && endpoint.Password is not null)
                secret = await endpoint.Password.ReadAsync(cancellationToken);
            try
            {
                await LogInAsync(client, secret, cancellationToken);
            }
            catch (ImapCommandException e) when (endpoint.Password is TokenReference tokens && ImapFailure.IsForGood(e.Reply))
            {
                // A token may expire early, so another one is requested, once. A new connection is used, since a server may count
                // the refusals on each connection.
                secret = await tokens.RenewAsync(secret, cancellationToken);
                await client.DisposeAsync();
                client = await ReachAsync(cancellationToken);
                await LogInAsync(client, secret, cancellationToken);
            }

            if (endpoint.Compress)
                await CompressAsync(client, cancellationToken);
            return client;
        }
        catch (Exception e)
        {
            await client.DisposeAsync();
            if (!ImapFailure.IsImap(e))
                throw;
            throw ImapFailure.LogIn(e, $"cannot log in to {endpoint.Display}", LogInRemedy.For(offered, endpoint, secret, (e as ImapCommandException)?.TokenRefusal));
        }
    }

    /// <summary>
    /// Refuses settings that don't fit the session of a tunnel command. A session that is already logged in belongs to the user for whom
    /// the command runs, so authorize_as can't apply. A session that is not logged in yet may need a password.
    /// </summary>
    private void RequireWanted(ImapClient client)
    {
        var trouble = client.IsPreAuthenticated
            ? endpoint.AuthorizeAs is null ? null : "the command's session is logged in already, so authorize_as can't be carried: take it out, and let the command open that mailbox (doveadm exec imap -u USER)"
            : endpoint.Password is null && LogInNeedsPassword ? "the server behind the command wants a log-in, and there is no password: add password_env, password_file or password_command" : null;
        if (trouble is not null)
            throw new MailException(FailureScope.Store, isTransient: false, $"cannot log in to {endpoint.Display}: {trouble}") { Kind = FailureKind.Authentication };
    }

    private bool LogInNeedsPassword => endpoint.Auth is not (AuthMechanism.External or AuthMechanism.Anonymous or AuthMechanism.Gssapi);

    private async Task<ImapClient> ReachAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ImapClient.ConnectAsync(WireOptions.Of(endpoint, context, dial), cancellationToken);
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw ImapFailure.Connecting(e, $"cannot connect to {endpoint.Display}");
        }
    }

    private Task LogInAsync(ImapClient client, Secret secret, CancellationToken cancellationToken) =>
        client.LogInAsync(new ImapCredentials(endpoint.User, secret.Reveal(), WireOptions.MechanismOf(endpoint, client.Capabilities), endpoint.AuthorizeAs), cancellationToken);

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
