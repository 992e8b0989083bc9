using System.Net;
using Imapsync.Imap.Commands;
using Imapsync.Imap.Sasl;

namespace Imapsync.Imap;

public sealed partial class ImapClient
{
    private IdCommand? id;

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
                throw new ImapCommandException(e.Command, e.Reply with { Text = Redact(e.Reply.Text, credentials.Secret) });
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

    /// <summary>What the server says of itself: lower-case field → value; nothing where it refuses to say.</summary>
    public async Task<IReadOnlyDictionary<string, string>> IdAsync(CancellationToken cancellationToken)
    {
        connection.ThrowIfBroken();
        if (id is null)
            HoldId();
        await connection.SendHeldAsync(cancellationToken);
        await connection.AnswerAsync(id!, cancellationToken);
        return id!.Server;
    }

    private void HoldId() => connection.Hold(id = new IdCommand());

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
        using var exchange = new SaslExchange(mechanism);
        var command = new AuthenticateCommand(exchange, offered.HasSaslInitialResponse);
        try
        {
            await connection.ExecuteAsync(command, cancellationToken);
        }
        catch (ImapCommandException e) when (command.Fault is not null)
        {
            throw new ImapLogInException($"{command.Name}: {command.Fault}", e);
        }

        if (command.Fault is not null || !exchange.IsProven)
            throw new ImapLogInException($"{command.Name}: {command.Fault ?? "the server says OK without having proved that it knows the password"}");
    }

    /// <summary>Nobody reads along: TLS, whose certificate was checked, or a line that does not leave this machine.</summary>
    private bool IsPrivate => options.Tls != ImapTls.None
        || string.Equals(options.Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(options.Host, out var address) && IPAddress.IsLoopback(address));

    private static bool IsOfTheMechanism(StatusReply reply) => ServerText.Classify(reply).Kind
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
