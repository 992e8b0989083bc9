using System.Net;
using System.Text;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Sasl;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// Logs in, learns the capabilities and sends ID if the server offers it. The mechanism is the specified one, otherwise the
    /// strongest one offered. If the server refuses a mechanism that hides the password, such as CRAM-MD5, the password itself is
    /// sent once, unless somebody could eavesdrop.
    /// </summary>
    /// <exception cref="ImapCommandException">The server refused the log-in; the text contains no secret.</exception>
    /// <exception cref="ImapLogInException">
    /// The client gave up the log-in: no offered mechanism is usable, or the server did not prove that it knows the password.
    /// </exception>
    public async Task LogInAsync(ImapCredentials credentials, CancellationToken cancellationToken)
    {
        if (!IsPreAuthenticated)
        {
            var offered = Capabilities;
            connection.Capabilities = null;
            connection.Hide(credentials.User, credentials.Secret);
            try
            {
                await LogInAsync(credentials, offered, cancellationToken);
            }
            catch (ImapCommandException e)
            {
                connection.Capabilities ??= offered;
                throw new ImapCommandException(e.Command, e.Reply with { Text = Redact(e.Reply.Text, credentials.Secret) })
                {
                    TokenRefusal = e.TokenRefusal?.With(t => Redact(t, credentials.Secret)),
                };
            }
            catch (ImapLogInException)
            {
                // Send nothing more: a server that did not prove that it knows the password may be an impostor.
                await DisposeAsync();
                throw;
            }
        }

        // Some servers (163.com) open no folder for a client that has not sent ID. ID is sent in the same write as the next
        // command, so it costs no round trip.
        var offersId = connection.Capabilities is { HasId: true };
        if (offersId)
            HoldId();
        await LearnCapabilitiesAsync(cancellationToken);
        if (!offersId && Capabilities.HasId)
            HoldId();
    }

    private async Task LogInAsync(ImapCredentials who, ImapCapabilities offered, CancellationToken cancellationToken)
    {
        var candidates = SaslChoice.Candidates(who, offered);
        string? fault = null;
        ImapCommandException? refusal = null;
        foreach (var name in candidates)
        {
            // The server may have refused only the mechanism, so try once to send the password itself. After a second
            // refusal the password is wrong.
            if (refusal is not null && !(SaslChoice.SendsPassword(name) && IsPrivate))
                continue;
            try
            {
                await TryLogInAsync(name, who, offered, cancellationToken);
                SignedInBy = name;
                return;
            }
            catch (SaslFaultException e)
            {
                fault = e.Message;
            }
            catch (ImapCommandException e) when (refusal is null && !SaslChoice.SendsPassword(name) && IsOfTheMechanism(e.Reply))
            {
                refusal = e;
            }
            catch (ImapConnectionException) when (refusal is not null)
            {
                // The server closed the connection because of the first refusal, so that refusal is the error to report.
                throw refusal;
            }
        }

        throw refusal ?? (Exception)new ImapLogInException(fault ?? NothingFits(who, offered));
    }

    private async Task TryLogInAsync(string name, ImapCredentials who, ImapCapabilities offered, CancellationToken cancellationToken)
    {
        if (name == SaslChoice.LoginCommand)
        {
            await connection.ExecuteAsync(new LoginCommand(who.User, who.Secret), cancellationToken);
            return;
        }

        var mechanism = SaslMechanisms.Create(name, who, options) ?? throw new ImapLogInException($"no way to log in with {name} is known");
        using var exchange = new SaslExchange(mechanism, options.Limits);
        var command = new AuthenticateCommand(exchange, offered.HasSaslInitialResponse);
        try
        {
            await connection.ExecuteAsync(command, cancellationToken);
        }
        catch (ImapCommandException e) when (command.Fault is not null)
        {
            throw new ImapLogInException($"{command.Name}: {command.Fault}", e);
        }
        catch (ImapCommandException e) when (exchange.TokenRefusal is { } said)
        {
            throw new ImapCommandException(e.Command, e.Reply) { TokenRefusal = said };
        }

        if (command.Fault is not null || !exchange.IsProven)
            throw new ImapLogInException($"{command.Name}: {command.Fault ?? "the server says OK without having proved that it knows the password"}");
    }

    /// <summary>Whether nobody can eavesdrop: the connection uses TLS with a verified certificate, or does not leave this machine.</summary>
    private bool IsPrivate => options.Tls != ImapTls.None
        || string.Equals(options.Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(options.Host, out var address) && IPAddress.IsLoopback(address));

    private static bool IsOfTheMechanism(StatusReply reply) => RefusalClassifier.Classify(reply).Kind
        is not (RefusalKind.Throttled or RefusalKind.TooManyConnections or RefusalKind.Unavailable or RefusalKind.DailyLimit);

    private static string NothingFits(ImapCredentials who, ImapCapabilities offered)
    {
        var names = offered.AuthMechanisms.Count == 0 ? "nothing" : string.Join(", ", offered.AuthMechanisms);
        if (!string.IsNullOrEmpty(who.AuthorizeAs))
            return $"no mechanism that can act for {who.AuthorizeAs} is offered (PLAIN and DIGEST-MD5 can; there is: {names})";
        return offered.AuthMechanisms.Count > 0 && offered.AuthMechanisms.All(n => n is "XOAUTH2" or "OAUTHBEARER")
            ? $"only {string.Join(" and ", offered.AuthMechanisms)} is offered: this server wants a token"
            : $"the server has log-in by LOGIN disabled and offers {names}";
    }
}

/// <summary>LOGIN (RFC 9051 §6.2.3). User and password may contain quotes, backslashes, blanks and 8-bit octets; all are sent unaltered.</summary>
internal sealed class LoginCommand(string user, string password) : ImapCommand
{
    public override string Name => "LOGIN";

    public override CommandClass Class => CommandClass.Alone;

    public override bool CarriesSecret => true;

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("LOGIN ");
        if (!await writer.StringAsync(Octets(user), secret: true))
            return;
        writer.Text(" ");
        await writer.StringAsync(Octets(password), secret: true);
    }

    private static string Octets(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}

/// <summary>AUTHENTICATE (RFC 9051 §6.2.2), with the initial response on the same line if the server accepts it (SASL-IR, RFC 4959).</summary>
internal sealed class AuthenticateCommand(SaslExchange exchange, bool withInitialResponse) : ImapCommand
{
    public override string Name => "AUTHENTICATE " + exchange.Name;

    public override CommandClass Class => CommandClass.Alone;

    public override bool CarriesSecret => true;

    /// <summary>The fault that the SASL mechanism found in the server's part of the exchange; null if none.</summary>
    public string? Fault { get; private set; }

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        var initial = exchange.InitialResponse;
        byte[]? challenge;
        writer.Text("AUTHENTICATE " + exchange.Name);
        if (withInitialResponse && initial is not null)
        {
            challenge = await writer.Text(" ").SecretLineAsync(initial.Length == 0 ? "=" : initial);
            initial = null;
        }
        else
        {
            challenge = await writer.ContinuationAsync();
        }

        while (challenge is not null)
        {
            var answer = initial ?? Next(challenge);
            initial = null;
            challenge = await writer.SecretLineAsync(answer ?? "*");
        }
    }

    /// <summary>Computes the next response. Null cancels the exchange (RFC 9051 §6.2.2).</summary>
    private string? Next(byte[] challenge)
    {
        try
        {
            return exchange.Next(Encoding.ASCII.GetString(challenge));
        }
        catch (SaslFaultException e)
        {
            Fault = e.Message;
            return null;
        }
    }
}
