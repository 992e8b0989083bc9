using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// The authorization code grant of a native application (RFC 8252). The browser brings the authorization code back to a local port; PKCE (RFC
/// 7636) makes the code useless to anyone but this process.
/// </summary>
internal static class BrowserSignIn
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(15);

    /// <exception cref="MailException">The user denied access, nobody signed in, or the answer is from another authorization server.</exception>
    public static async Task<IssuedToken> RunAsync(OAuthClient client, SignInDialogue dialogue, TimeProvider time, CancellationToken cancellationToken)
    {
        var settings = client.Settings;
        var endpoints = await client.EndpointsAsync(cancellationToken);
        if (endpoints.Authorization is null)
            throw new MailException(FailureScope.Store, isTransient: false, $"{client.What}: its discovery document names no authorization_endpoint; write it") { Kind = FailureKind.Configuration };
        using var redirect = LoopbackRedirect.Start(settings.Provider.LoopbackHost, settings.Provider.LoopbackPath);
        var (verifier, state) = (RandomText(), RandomText());
        var address = new RequestUrl(endpoints.Authorization).CreateAuthorizeUrl(
            clientId: settings.ClientId,
            responseType: OidcConstants.ResponseTypes.Code,
            scope: settings.Scope,
            redirectUri: redirect.Address,
            state: state,
            loginHint: settings.User,
            codeChallenge: Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(verifier))),
            codeChallengeMethod: OidcConstants.CodeChallengeMethods.Sha256,
            extra: new Parameters(settings.Provider.AuthorizationParameters));
        dialogue.Tell($"To sign in as {settings.User}, open this address in a browser on this machine:");
        dialogue.Tell(address);
        dialogue.Tell($"(a browser elsewhere needs the way back: ssh -L {redirect.Port}:{settings.Provider.LoopbackHost}:{redirect.Port} to this machine first)");
        dialogue.OpenBrowser?.Invoke(new Uri(address));
        var answer = await AnswerAsync(client, redirect, state, time, cancellationToken);
        // RFC 9207: a code from another authorization server must not be redeemed at this server.
        if (answer.GetValueOrDefault("iss") is { } issuer && endpoints.Issuer is { } expected && issuer != expected)
            throw Failed(client, "the answer comes from another authorization server");
        if (answer.GetValueOrDefault("error") is { } error)
            throw Failed(client, error == "access_denied" ? "whoever was asked said no" : Shown(answer, error));
        return answer.GetValueOrDefault("code") is { Length: > 0 } code
            ? await client.RedeemAsync(code, redirect.Address, verifier, cancellationToken)
            : throw Failed(client, "the answer brings no code");
    }

    private static async Task<IReadOnlyDictionary<string, string>> AnswerAsync(
        OAuthClient client, LoopbackRedirect redirect, string state, TimeProvider time, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await redirect.WaitAsync(state, either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Failed(client, $"nobody signed in within {Patience.TotalMinutes:0} minutes");
        }
    }

    /// <summary>Returns 256 random bits in base64url.</summary>
    private static string RandomText() => Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    private static string Shown(IReadOnlyDictionary<string, string> answer, string error)
    {
        var text = answer.GetValueOrDefault("error_description") is { } words ? $"{error}: {words}" : error;
        return string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c).Take(300));
    }

    private static MailException Failed(OAuthClient client, string why) =>
        new(FailureScope.Store, isTransient: false, $"{client.What}: {why}{client.Remedies(OAuthFault.Denied)}") { Kind = FailureKind.Authentication };
}
