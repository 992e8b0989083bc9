using System.Collections.Immutable;
using System.Net;
using Duende.IdentityModel.Client;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// Explains an authorization server's refusal in plain words. This is the only place that turns its responses into a <see cref="MailException"/>.
/// </summary>
internal static class OAuthFailure
{
    private const int LongestText = 300;

    /// <summary>
    /// The OAuth error codes (RFC 6749 §4.1.2.1 and §5.2, RFC 8628 §3.5, OpenID Connect Core §3.1.2.6), each with the kind of fault and its
    /// explanation.
    /// </summary>
    private static readonly ImmutableDictionary<string, (OAuthFault Fault, string Text)> Codes = new Dictionary<string, (OAuthFault, string)>
    {
        ["invalid_grant"] = (OAuthFault.Over, "the sign-in is over: it was revoked, has expired, or the password was changed"),
        ["interaction_required"] = (OAuthFault.Over, "a person has to sign in again"),
        ["login_required"] = (OAuthFault.Over, "a person has to sign in again"),
        ["consent_required"] = (OAuthFault.Over, "a person has to consent again"),
        ["invalid_client"] = (OAuthFault.Client, "the client is not accepted"),
        ["unauthorized_client"] = (OAuthFault.Client, "this client may not sign in this way"),
        ["unsupported_grant_type"] = (OAuthFault.Client, "it does not know this way to sign in"),
        ["invalid_scope"] = (OAuthFault.Scope, "the scopes that are asked for are not given"),
        ["invalid_target"] = (OAuthFault.Scope, "what the token is asked for is not given"),
        ["access_denied"] = (OAuthFault.Denied, "whoever was asked said no"),
        ["expired_token"] = (OAuthFault.Late, "nobody signed in while the code was good"),
        ["temporarily_unavailable"] = (OAuthFault.Passing, "it is out of order for now"),
        ["server_error"] = (OAuthFault.Passing, "it is out of order for now"),
        ["slow_down"] = (OAuthFault.Passing, "it was asked too often"),
    }.ToImmutableDictionary();

    public static OAuthFault FaultOf(ProtocolResponse response) => response switch
    {
        { HttpStatusCode: HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError } => OAuthFault.Passing,
        _ when CodeOf(response) is { } code => Codes.TryGetValue(code, out var known) ? known.Fault : OAuthFault.Other,
        { Exception: HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } } => OAuthFault.Insecure,
        { Exception: HttpRequestException or IOException } => OAuthFault.Passing,
        _ => OAuthFault.Other,
    };

    /// <param name="what">The failed action, for example <c>cannot sign in to Google for alice@example.com</c>.</param>
    /// <param name="remedies">Returns the advice for a fault.</param>
    /// <param name="secrets">Secrets that a response may repeat; they are removed from the error text.</param>
    public static MailException Of(ProtocolResponse response, string what, Func<OAuthFault, string> remedies, params ReadOnlySpan<string?> secrets)
    {
        var fault = FaultOf(response);
        var said = CodeOf(response) is { } code && Codes.TryGetValue(code, out var known) ? known.Text : null;
        var words = Words(response, secrets);
        var text = said is null ? words : words.Length == 0 ? said : $"{said} ({words})";
        var cure = fault == OAuthFault.Insecure ? "; its certificate must be of an authority that this system trusts, or that SSL_CERT_FILE names" : remedies(fault);
        return new MailException(FailureScope.Store, fault == OAuthFault.Passing, $"{what}: {text}{cure}", response.Exception)
        {
            Kind = fault is OAuthFault.Passing or OAuthFault.Insecure ? FailureKind.Connect : FailureKind.Authentication,
            RetryAfter = response.HttpResponse?.Headers.RetryAfter?.Delta,
        };
    }

    /// <summary>
    /// Returns the error code from the response body. The library's <c>Error</c> property is not used, since for error statuses other than
    /// 400 it holds the status line instead.
    /// </summary>
    public static string? CodeOf(ProtocolResponse response) => response.Json is { ValueKind: System.Text.Json.JsonValueKind.Object } ? response.TryGet("error") : null;

    private static string Words(ProtocolResponse response, ReadOnlySpan<string?> secrets)
    {
        var text = CodeOf(response) is { } code
            ? string.Join(": ", ((string?[])[code, response.TryGet("error_description")]).OfType<string>())
            // HttpClient's outer exceptions only say that an error occurred, so the message of the innermost one is shown.
            : response.Exception is { } failure ? failure.GetBaseException().Message
            : response.HttpResponse is { IsSuccessStatusCode: false } ? $"HTTP status {(int)response.HttpStatusCode}"
            : "its answer makes no sense";
        // Secrets are removed before the text is truncated: otherwise the beginning of a truncated secret would remain.
        foreach (var secret in secrets)
        {
            if (!string.IsNullOrEmpty(secret))
                text = text.Replace(secret, "(secret)", StringComparison.Ordinal);
        }

        text = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)).Trim();
        return text.Length <= LongestText ? text : text[..LongestText] + "…";
    }
}

/// <summary>The kind of fault that made the server refuse a token.</summary>
internal enum OAuthFault
{
    Other,

    /// <summary>The refresh token or the assertion is invalid or no longer valid.</summary>
    Over,

    /// <summary>The client identifier, the client secret or the client's registration is wrong.</summary>
    Client,
    Scope,
    Denied,
    Late,

    /// <summary>The fault is temporary: another attempt later may succeed.</summary>
    Passing,

    /// <summary>The server's certificate is not accepted.</summary>
    Insecure,
}
