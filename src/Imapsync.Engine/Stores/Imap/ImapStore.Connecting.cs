using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

public sealed partial class ImapStore
{
    private bool hasNoCompression;

    private async Task<ImapClient> ConnectAsync(CancellationToken cancellationToken)
    {
        // Before the host is gone to: that an authorization server is out of order is none of its failures.
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
            if (token is null && endpoint.Password is not null)
                secret = await endpoint.Password.ReadAsync(cancellationToken);
            try
            {
                await LogInAsync(client, secret, cancellationToken);
            }
            catch (ImapCommandException e) when (endpoint.Password is TokenReference tokens && ImapFailure.IsForGood(e.Reply))
            {
                // A token may end before its time: another one is had, once. On a new connection, since a server may count refusals of one.
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

    private async Task<ImapClient> ReachAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await ImapClient.ConnectAsync(ClientOptions(), cancellationToken);
        }
        catch (Exception e) when (ImapFailure.IsImap(e))
        {
            throw ImapFailure.Connecting(e, $"cannot connect to {endpoint.Display}");
        }
    }

    private Task LogInAsync(ImapClient client, Secret secret, CancellationToken cancellationToken) =>
        client.LogInAsync(new ImapCredentials(endpoint.User, secret.Reveal(), MechanismName(client.Capabilities), endpoint.AuthorizeAs), cancellationToken);

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

    private ImapClientOptions ClientOptions() =>
        new(endpoint.Host, endpoint.Port, endpoint.Tls switch
        {
            TlsMode.Implicit => ImapTls.Implicit,
            TlsMode.StartTls => ImapTls.StartTls,
            _ => ImapTls.None,
        })
        {
            CaFile = endpoint.TlsCaFile,
            Fingerprint = endpoint.TlsFingerprint,
            ClientCertificateFile = endpoint.TlsClientCertificate,
            ClientKeyFile = endpoint.TlsClientKey,
            ConnectTimeout = endpoint.Timeouts.Connect,
            GreetingTimeout = endpoint.Timeouts.Greeting,
            StallTimeout = endpoint.Timeouts.Stall,
            Time = context.Time,
            Log = context.Log,
            Dial = dial,
        };

    private string? MechanismName(ImapCapabilities offered) => endpoint.Auth switch
    {
        AuthMechanism.Auto => endpoint.Password is TokenReference ? TokenMechanism(offered) : null,
        AuthMechanism.ScramSha1 => "SCRAM-SHA-1",
        AuthMechanism.ScramSha256 => "SCRAM-SHA-256",
        AuthMechanism.ScramSha512 => "SCRAM-SHA-512",
        AuthMechanism.CramMd5 => "CRAM-MD5",
        AuthMechanism.DigestMd5 => "DIGEST-MD5",
        var other => other.ToString().ToUpperInvariant(),
    };

    /// <summary>RFC 7628's where there is a choice; a server that says of neither is asked by the one that is older.</summary>
    private static string TokenMechanism(ImapCapabilities offered) => offered.AuthMechanisms.Contains("OAUTHBEARER") ? "OAUTHBEARER" : "XOAUTH2";
}
