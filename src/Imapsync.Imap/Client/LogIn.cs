using System.Net;
using System.Text;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Sasl;

namespace Imapsync.Imap.Client;

public sealed partial class ImapClient
{
    /// <summary>
    /// Logs in, asks for the capabilities anew unless they were volunteered, and tells a server that wants it who we are. Where the
    /// choice is left to us, a refused challenge mechanism is followed by the password itself once, if nobody can listen.
    /// </summary>
    /// <exception cref="ImapCommandException">Refused; the text holds no secret.</exception>
    /// <exception cref="ImapLogInException">Given up on this side.</exception>
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
                // Whoever is at the other end, it is not to be asked for anything more.
                await DisposeAsync();
                throw;
            }
        }

        // Some servers open no folder to a client that did not say who it is (163.com). It goes along with what is asked for next,
        // which does not wait for the answer.
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
            // One refusal may be the mechanism's, a second one is the password's.
            if (refusal is not null && !(SaslChoice.SendsPassword(name) && IsPrivate))
                continue;
            try
            {
                await TryLogInAsync(name, who, offered, cancellationToken);
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
                // It hung up over the first refusal.
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

    /// <summary>Nobody reads along: TLS, whose certificate was checked, or a line that does not leave this machine.</summary>
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

/// <summary>LOGIN (RFC 9051 §6.2.3). Quotes, backslashes, blanks and 8-bit octets in user or password are sent as what they are.</summary>
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

/// <summary>AUTHENTICATE (RFC 9051 §6.2.2), the initial response on the same line where the server takes it (SASL-IR, RFC 4959).</summary>
internal sealed class AuthenticateCommand(SaslExchange exchange, bool withInitialResponse) : ImapCommand
{
    public override string Name => "AUTHENTICATE " + exchange.Name;

    public override CommandClass Class => CommandClass.Alone;

    public override bool CarriesSecret => true;

    /// <summary>Set when the mechanism itself found fault with the server's side of the exchange.</summary>
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

    /// <summary>Null cancels the exchange (RFC 9051 §6.2.2).</summary>
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
