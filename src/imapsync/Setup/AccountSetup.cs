using System.Collections.Immutable;
using System.Net;
using Imapsync.CommandLine.Commands;
using Imapsync.CommandLine.Output;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Discovery;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Providers;

namespace Imapsync.CommandLine.Setup;

/// <summary>Turns a mail address into an account that can be signed in to.</summary>
/// <param name="side"><c>source</c> or <c>target</c>.</param>
/// <param name="given">The settings from the command line, except <c>url</c>.</param>
/// <param name="url">The account's URL from the command line; null for none.</param>
/// <param name="prefersOAuth">Whether to use OAuth if the provider supports it.</param>
internal sealed class AccountSetup(HostContext surroundings, Questions questions, string side, IReadOnlyList<GivenSetting> given, string? url, bool prefersOAuth)
{
    /// <summary>The number of attempts to type the password. It allows for typing errors, but servers lock out clients that seem to guess.</summary>
    private const int MaxPasswords = 3;

    private const string OAuthComment = "needs the client_id of a client that you register, see docs/sign-in.md; then 'imapsync login' signs in, once";

    /// <exception cref="ConfigurationException">An answer or a setting is invalid, or it is missing and there is no terminal to ask on.</exception>
    /// <exception cref="MailException">The server can't be used or refuses the sign-in.</exception>
    public async Task<Account> AskAsync(string address, CancellationToken cancellationToken)
    {
        var account = await LocateAsync(address, cancellationToken);
        if (account.Provider is { Advice.Length: > 0 } provider)
            questions.Say($"{provider.Title}: {provider.Advice}{(provider.Link is null ? "" : $" {provider.Link}")}");
        RequireImap(account);
        account = await TrustAsync(account, address, cancellationToken);
        var hasSecret = given.Any(g => g.Path[^1].StartsWith("password_", StringComparison.Ordinal) || g is { Path: [.., "auth"], Value: "external" or "gssapi" or "anonymous" });
        if (!hasSecret && account.Provider is { OAuth: not null } oauth && (prefersOAuth || oauth.NeedsOAuth))
            return account with { NeedsLogin = true, Settings = [.. account.Settings.Where(s => s.Key != "auth"), new("oauth", oauth.OAuth, OAuthComment)] };
        return hasSecret ? await SignInAsync(account, cancellationToken) : await AskPasswordAsync(account, cancellationToken);
    }

    /// <summary>Finds the server of the account.</summary>
    private async Task<Account> LocateAsync(string address, CancellationToken cancellationToken)
    {
        if (url is null && address.Contains("://", StringComparison.Ordinal))
            return new Account(address, Named(ProviderGiven(), ("url", address, "")));
        if (url is not null)
            return new Account(address, Named(ProviderGiven(), ("url", WithUser(url, address), "")));
        if (ProviderGiven() is { Host: not null } chosen)
            return new Account(address, Named(chosen, ("user", chosen.UserOf(address), "")));
        if (!address.Contains('@', StringComparison.Ordinal))
            throw Questions.Wrong(side == "source" ? "ADDRESS" : "--to", $"'{address}' is no mail address", "write you@example.com, or imaps://USER@HOST");
        questions.Say($"Looking for the server of {address} …");
        var outcome = await new MailDiscovery(surroundings.Discovery).FindAsync(address, cancellationToken);
        if (outcome.Server is { } found && await IsAgreedAsync(found, address, cancellationToken))
        {
            questions.Say($"Found {found.Address}{(found.Provider is null ? "" : $", {found.Provider.Title}")} ({Tell(found.By)}).");
            return new Account(address, found.Provider is { } known
                ? Named(known, ("user", found.User, ""))
                : Named(ProviderGiven(), ("url", WithUser(found.Address, found.User), Tell(found.By))));
        }

        if (outcome.Server is null)
        {
            foreach (var line in outcome.Tried)
                questions.Say($"  {line}");
        }

        return await AskServerAsync(address, cancellationToken);
    }

    private async Task<Account> AskServerAsync(string address, CancellationToken cancellationToken)
    {
        var isUrl = address.Contains("://", StringComparison.Ordinal);
        var domain = address[(address.LastIndexOf('@') + 1)..];
        var usual = isUrl ? address
            : domain.Contains('.', StringComparison.Ordinal) && !IPAddress.TryParse(domain, out _) ? $"imaps://imap.{domain}"
            : $"imaps://{domain}";
        var server = await questions.AskAsync("IMAP server (HOST, imaps://HOST:PORT, or imap://HOST:PORT for STARTTLS)", questions.IsDialogue ? usual : "", null, $"--{side}-url", cancellationToken);
        return new Account(address, Named(ProviderGiven(), ("url", WithUser(server, address), "")));
    }

    /// <summary>
    /// Asks a person to confirm a host that is outside the address's domain and known from DNS only. No
    /// password is sent there without consent.
    /// </summary>
    private async Task<bool> IsAgreedAsync(FoundServer found, string address, CancellationToken cancellationToken)
    {
        if (found.IsVouchedFor)
            return true;
        var question = $"DNS names {found.Address} for {address}, a host of another domain. Is that where the mail is?";
        return questions.IsDialogue
            ? await questions.ConfirmAsync(question, fallback: false, null, $"--{side}-url", cancellationToken)
            : throw Questions.Wrong($"--{side}-url", $"DNS names {found.Address} for {address}, a host of another domain, and nobody else vouches for it", $"if it is right, give --{side}-url {found.Address}");
    }

    /// <summary>
    /// Checks, before a password is typed, that the server is reachable and has a valid certificate. A person may pin a certificate that no
    /// authority has signed, but not at a known provider's host: there an invalid certificate indicates an interception.
    /// </summary>
    private async Task<Account> TrustAsync(Account account, string address, CancellationToken cancellationToken)
    {
        while (given.All(g => g.Path[^1] is not ("tls_fingerprint" or "tls_ca_file")) && !account.IsAtProvider)
        {
            // Settings for a provider with a self-signed certificate are invalid without a fingerprint. Any fingerprint will do here,
            // because the proof below uses only the host, port and kind of TLS.
            var endpoint = Endpoint(account with { Settings = account.Settings.Add(new("tls_fingerprint", new string('0', 64))) });
            var proof = surroundings.Discovery.Proof ?? new ServerProof(surroundings.Time);
            if (await proof.WhyNotAsync(endpoint.Host, endpoint.Port, endpoint.Tls == TlsMode.StartTls, cancellationToken) is not { } objection)
                break;
            questions.Say(objection.Message);
            if (objection.Certificate is { } certificate)
                return await PinAsync(account, endpoint, certificate.Fingerprint, cancellationToken);
            if (!questions.IsDialogue || url is not null || account.Provider is { Host: not null })
                throw new MailException(FailureScope.Store, isTransient: true, $"{endpoint.Display} can't be used") { Kind = FailureKind.Connect };
            account = await AskServerAsync(address, cancellationToken);
            RequireImap(account);
        }

        return account;
    }

    /// <exception cref="ConfigurationException">The account is not reached by IMAP.</exception>
    private void RequireImap(Account account)
    {
        if (!account.IsImap)
            throw Questions.Wrong(side == "source" ? "ADDRESS" : "--to", "this is no IMAP account", "give an address, imaps://USER@HOST or imap://USER@HOST");
    }

    private async Task<Account> PinAsync(Account account, ImapEndpoint endpoint, string fingerprint, CancellationToken cancellationToken)
    {
        var isPinned = questions.IsDialogue && await questions.ConfirmAsync(
            $"Its SHA-256 fingerprint is {fingerprint}. Is that the server's own, to be trusted from now on?", fallback: false, null, $"--{side}-tls-fingerprint", cancellationToken);
        return isPinned
            ? account with { Settings = account.Settings.Add(new("tls_fingerprint", fingerprint, "this certificate is trusted and no other")) }
            : throw new MailException(FailureScope.Store, isTransient: false, $"nothing was sent to {endpoint.Display}; --{side}-tls-fingerprint or --{side}-tls-ca-file says what to trust") { Kind = FailureKind.Connect };
    }

    private async Task<Account> AskPasswordAsync(Account account, CancellationToken cancellationToken)
    {
        if (surroundings.Prompt is not { } prompt)
            throw Questions.Wrong($"--{side}-password-file", $"there is no password for {account.Address}, and no terminal to ask on", $"give --{side}-password-env, --{side}-password-file or --{side}-password-command");
        for (var tries = 1; ; tries++)
        {
            var typed = account with { Typed = await prompt($"Password for {Endpoint(account).Display}", cancellationToken) };
            try
            {
                return await SignInAsync(typed, cancellationToken);
            }
            catch (MailException e) when (e.Kind == FailureKind.Authentication && questions.IsDialogue && tries < MaxPasswords)
            {
                questions.Say(e.Message);
            }
        }
    }

    private async Task<Account> SignInAsync(Account account, CancellationToken cancellationToken)
    {
        var endpoint = Endpoint(account);
        await using (await surroundings.OpenStore.OpenAsync(endpoint, new StoreContext(surroundings.Time, _ => { }), cancellationToken))
            questions.Say($"Signed in to {endpoint.Display}.");
        return account;
    }

    private ImapEndpoint Endpoint(Account account) => account.Endpoint(side, surroundings);

    private Provider? ProviderGiven() => given.FirstOrDefault(g => g.Path is ["provider"]) is { } word ? ProviderTable.Find(word.Value) : null;

    /// <summary>Returns the settings for the account's location, followed by those from the command line.</summary>
    private ImmutableArray<DraftSetting> Named(Provider? provider, (string Key, string Value, string Comment) place) =>
    [
        .. provider is null ? Array.Empty<DraftSetting>() : [new DraftSetting("provider", provider.Name, $"{provider.Title}{(provider.Address is null ? "" : $": {provider.Address}")}; 'imapsync providers {provider.Name}' tells more")],
        new DraftSetting(place.Key, place.Value, place.Comment),
        .. given.Where(g => g.Path is not ["provider"] || provider is null).Select(g => new DraftSetting(g.Path[^1], Absolute(g))),
    ];

    /// <summary>Makes a file path absolute, since the job file may be in another directory.</summary>
    private static string Absolute(GivenSetting setting) =>
        setting.Path[^1] is "password_file" or "tls_ca_file" && !setting.Value.StartsWith('~') ? Path.GetFullPath(setting.Value) : setting.Value;

    /// <summary>Inserts the user into a host name or URL.</summary>
    /// <param name="address">The user's name, or the URL that has it.</param>
    private static string WithUser(string server, string address)
    {
        var whole = server.Contains("://", StringComparison.Ordinal) ? server : $"imaps://{server}";
        var start = whole.IndexOf("://", StringComparison.Ordinal) + 3;
        var ofUrl = address.IndexOf("://", StringComparison.Ordinal) + 3;
        var user = ofUrl < 3 ? Uri.EscapeDataString(address).Replace("%40", "@", StringComparison.Ordinal)
            : address.LastIndexOf('@') is var at && at > ofUrl ? address[ofUrl..at]
            : "";
        return user.Length == 0 || whole.IndexOf('@', start) >= 0 ? whole : whole.Insert(start, user + "@");
    }

    private static string Tell(FoundBy by) => by switch
    {
        FoundBy.Table => "known by the address",
        FoundBy.ServiceRecord => "by the domain's SRV records",
        FoundBy.Autoconfig => "by the domain's autoconfig document",
        FoundBy.Exchanger => "where the domain's mail is delivered",
        _ => "a usual name, with a good certificate",
    };
}
