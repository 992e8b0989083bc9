using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Imap.Sasl;

namespace Imapsync.Imap.Pop3;

public sealed partial class Pop3Client
{
    private const string Apop = "APOP";

    /// <summary>
    /// Logs in by AUTH (RFC 5034), APOP, or USER and PASS, and learns the capabilities. The mechanism is the specified one, otherwise the
    /// strongest one offered. If the server refuses a mechanism that hides the password, such as CRAM-MD5, the password itself is sent
    /// once, unless somebody could eavesdrop.
    /// </summary>
    /// <exception cref="Pop3RefusedException">The server refused the log-in; the text contains no secret.</exception>
    /// <exception cref="ImapLogInException">
    /// The client gave up the log-in: no offered mechanism is usable, or the server did not prove that it knows the password.
    /// </exception>
    public async Task LogInAsync(ImapCredentials credentials, CancellationToken cancellationToken)
    {
        trace?.Hide(credentials.User, credentials.Secret);
        string? fault = null;
        Pop3RefusedException? refusal = null;
        foreach (var name in Candidates(credentials))
        {
            // The server may have refused only the mechanism, so try once to send the password itself. After a second
            // refusal the password is wrong.
            if (refusal is not null && !(SaslChoice.SendsPassword(name) && IsPrivate))
                continue;
            try
            {
                await TryLogInAsync(name, credentials, cancellationToken);
                await LearnCapabilitiesAsync(cancellationToken);
                return;
            }
            catch (SaslFaultException e)
            {
                fault = e.Message;
            }
            catch (Pop3RefusedException e) when (refusal is null && !SaslChoice.SendsPassword(name) && !RefusalClassifier.Classify(e.Reply).IsTransient)
            {
                refusal = Redacted(e, credentials.Secret);
            }
            catch (Pop3RefusedException e)
            {
                throw Redacted(e, credentials.Secret);
            }
            catch (ImapConnectionException) when (refusal is not null)
            {
                // The server closed the connection because of the first refusal, so that refusal is the error to report.
                throw refusal;
            }
        }

        throw refusal ?? (Exception)new ImapLogInException(fault ?? $"no way to log in that is known here is offered: {Capabilities}");
    }

    private IEnumerable<string> Candidates(ImapCredentials who)
    {
        var names = SaslChoice.Candidates(who, Capabilities.LogIn).ToList();
        // Dovecot always announces USER but accepts it only if it also offers PLAIN. So try the LOGIN mechanism before USER and PASS.
        if (names.Remove("LOGIN") && names.IndexOf(SaslChoice.LoginCommand) is var user)
            names.Insert(user < 0 ? names.Count : user, "LOGIN");
        // APOP needs the challenge in the greeting. It is stronger than a clear-text password but weaker than the other
        // mechanisms, so it goes between them.
        if (who.Mechanism is null && string.IsNullOrEmpty(who.AuthorizeAs) && ApopStamp() is not null)
            names.Insert(names.FindIndex(n => SaslChoice.SendsPassword(n)) is >= 0 and var at ? at : names.Count, Apop);
        return names;
    }

    private Task TryLogInAsync(string name, ImapCredentials who, CancellationToken cancellationToken) => name switch
    {
        Apop => ApopAsync(who, cancellationToken),
        SaslChoice.LoginCommand => UserAndPassAsync(who, cancellationToken),
        _ => AuthenticateAsync(name, who, cancellationToken),
    };

    private Task UserAndPassAsync(ImapCredentials who, CancellationToken cancellationToken)
    {
        RefuseLineEnds(who.User, who.Secret);
        return TalkAsync(async () =>
        {
            await SendAsync("USER " + who.User, cancellationToken);
            await ReadStatusAsync("USER", cancellationToken);
            await SendAsync("PASS " + who.Secret, cancellationToken, shown: "PASS (hidden)");
            return await ReadStatusAsync("PASS", cancellationToken, isSecret: true);
        }, cancellationToken);
    }

    private Task ApopAsync(ImapCredentials who, CancellationToken cancellationToken)
    {
        RefuseLineEnds(who.User);
#pragma warning disable CA5351 // The protocol has no other digest (RFC 1939 §7).
        var digest = Convert.ToHexStringLower(MD5.HashData(Encoding.UTF8.GetBytes(ApopStamp() + who.Secret)));
#pragma warning restore CA5351
        return TalkAsync(async () =>
        {
            await SendAsync($"APOP {who.User} {digest}", cancellationToken, shown: "APOP (hidden)");
            return await ReadStatusAsync(Apop, cancellationToken, isSecret: true);
        }, cancellationToken);
    }

    private async Task AuthenticateAsync(string name, ImapCredentials who, CancellationToken cancellationToken)
    {
        var mechanism = SaslMechanisms.Create(name, who, options with { Service = "pop" }) ?? throw new ImapLogInException($"no way to log in with {name} is known");
        using var exchange = new SaslExchange(mechanism, options.Limits);
        string? fault;
        try
        {
            fault = await TalkAsync(() => ExchangeAsync(exchange, cancellationToken), cancellationToken);
        }
        catch (Pop3RefusedException e) when (exchange.TokenRefusal is { } said)
        {
            throw new Pop3RefusedException(e.Command, e.Reply.Code, e.Reply.Text) { TokenRefusal = said };
        }

        if (fault is not null || !exchange.IsProven)
        {
            // The server may be an impostor, because it did not prove that it knows the password. So send it nothing more.
            IsBroken = true;
            throw new ImapLogInException($"{exchange.Name}: {fault ?? "the server says +OK without having proved that it knows the password"}");
        }
    }

    /// <returns>The fault that the mechanism found in the server's part of the exchange; null if none.</returns>
    private async Task<string?> ExchangeAsync(SaslExchange exchange, CancellationToken cancellationToken)
    {
        var command = "AUTH " + exchange.Name;
        // Send the initial response only after the server's "+", because POP3 lines are short and some servers reject it on the AUTH line.
        await SendAsync(command, cancellationToken);
        var initial = exchange.InitialResponse;
        while (true)
        {
            var line = await input.ReadLineAsync(options.Limits.MaxLineBytes, cancellationToken);
            trace?.Line(line.StartsWith('+') && !line.StartsWith("+OK", StringComparison.OrdinalIgnoreCase) ? "< +" : "< " + line.Split(' ', 2)[0] + " (hidden)");
            if (line.StartsWith("+OK", StringComparison.OrdinalIgnoreCase))
            {
                owed--;
                return null;
            }

            if (line.StartsWith("-ERR", StringComparison.OrdinalIgnoreCase))
            {
                owed--;
                throw Refused(command, line[4..]);
            }

            if (!line.StartsWith('+'))
                throw new ImapProtocolException($"the server's answer to {command} begins with neither +OK, -ERR nor +");
            try
            {
                var answer = initial ?? exchange.Next(line[1..].Trim());
                initial = null;
                await SendAsync(answer, cancellationToken, answers: 0, shown: "(hidden)");
            }
            catch (SaslFaultException e)
            {
                return e.Message;
            }
        }
    }

    /// <summary>The APOP challenge, which is part of the greeting and has the form of an RFC 822 msg-id.</summary>
    private string? ApopStamp() => ApopStampPattern().Match(Greeting) is { Success: true } match ? match.Value : null;

    /// <summary>Whether nobody can eavesdrop: the connection uses TLS with a verified certificate, or does not leave this machine.</summary>
    private bool IsPrivate => options.Tls != ImapTls.None
        || string.Equals(options.Host, "localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(options.Host, out var address) && IPAddress.IsLoopback(address));

    private static void RefuseLineEnds(params ReadOnlySpan<string> texts)
    {
        foreach (var text in texts)
        {
            if (text.AsSpan().IndexOfAny('\r', '\n', '\0') >= 0)
                throw new ImapLogInException("the user or the password holds a line end, which USER and PASS can't carry");
        }
    }

    private static Pop3RefusedException Redacted(Pop3RefusedException e, string secret) => secret.Length == 0
        ? e
        : new Pop3RefusedException(e.Command, e.Reply.Code, Redacted(e.Reply.Text, secret)) { TokenRefusal = e.TokenRefusal?.With(t => Redacted(t, secret)) };

    private static string Redacted(string text, string secret) => text.Replace(secret, "(secret)", StringComparison.Ordinal);

    [GeneratedRegex("<[^<>@ ]+@[^<> ]+>", RegexOptions.None, 1000)]
    private static partial Regex ApopStampPattern();
}
