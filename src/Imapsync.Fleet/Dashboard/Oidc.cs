using System.Security.Claims;
using Imapsync.Fleet.Serving;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Imapsync.Fleet.Dashboard;

/// <summary>An OpenID Connect provider by which people can sign in, in addition to tokens.</summary>
/// <param name="Secret">The client's secret; null for a client without one. PKCE binds the code in any case.</param>
/// <param name="RoleClaim">The claim of the ID token that says what a person may do.</param>
/// <param name="Operate">The value of <paramref name="RoleClaim"/> that gives the role operate; null for none.</param>
/// <param name="Look">The value of <paramref name="RoleClaim"/> that gives the role look; null for none.</param>
/// <param name="PublicUrl">The URL under which browsers reach the pages; null to take it from their requests.</param>
internal sealed record OidcSettings(Uri Authority, string Client, string? Secret, string RoleClaim, string? Operate, string? Look, Uri? PublicUrl)
{
    /// <summary>Returns the role that a person's claims give; null for none.</summary>
    public Role? RoleOf(ClaimsPrincipal person)
    {
        var values = person.FindAll(RoleClaim).Select(c => c.Value).ToHashSet(StringComparer.Ordinal);
        return Operate is not null && values.Contains(Operate) ? Role.Operate : Look is not null && values.Contains(Look) ? Role.Look : null;
    }
}

/// <summary>
/// Sign-in by a provider: the authorization code flow with PKCE. It opens a session like that of a token, valid for an hour.
/// </summary>
internal static class Oidc
{
    public const string SchemeName = "oidc";

    /// <summary>The path of this server to which the provider sends browsers back.</summary>
    public const string CallbackPath = "/sign-in/returned";

    /// <summary>The claims from which a person's name is taken, the preferred one first.</summary>
    private static readonly string[] NameClaims = ["preferred_username", "email", "name", "sub"];

    public static void AddOidc(this AuthenticationBuilder authentication, OidcSettings settings) =>
        authentication.AddOpenIdConnect(SchemeName, o =>
        {
            o.SignInScheme = Session.SchemeName;
            (o.Authority, o.ClientId, o.ClientSecret, o.CallbackPath) = (settings.Authority.ToString(), settings.Client, settings.Secret, CallbackPath);
            o.RequireHttpsMetadata = !settings.Authority.IsLoopback;
            // The provider must answer by a redirect, because the browser then sends the SameSite=Lax cookies set below. With a form posted
            // by another site, it does not send them.
            (o.ResponseType, o.ResponseMode, o.UsePkce) = (OpenIdConnectResponseType.Code, OpenIdConnectResponseMode.Query, true);
            foreach (var cookie in new[] { o.CorrelationCookie, o.NonceCookie })
                (cookie.SameSite, cookie.SecurePolicy) = (SameSiteMode.Lax, CookieSecurePolicy.SameAsRequest);
            (o.MapInboundClaims, o.SaveTokens, o.DisableTelemetry) = (false, false, true);
            o.Events = new OpenIdConnectEvents
            {
                OnRedirectToIdentityProvider = c =>
                {
                    if (settings.PublicUrl is { } url)
                        c.ProtocolMessage.RedirectUri = url.GetLeftPart(UriPartial.Authority) + CallbackPath;
                    return Task.CompletedTask;
                },
                OnTicketReceived = c => ReceiveAsync(c, settings),
                OnRemoteFailure = c =>
                {
                    LogOf(c.HttpContext).LogWarning("somebody could not be signed in by {Provider}: {Why}", settings.Authority, c.Failure?.Message.ReplaceLineEndings(" "));
                    c.Response.Redirect("/sign-in?refused=failed");
                    c.HandleResponse();
                    return Task.CompletedTask;
                },
            };
        });

    public static void MapOidc(this WebApplication app, OidcSettings settings) =>
        app.MapGet("/sign-in/provider", (HttpContext context, string? back) => BeginAsync(context, settings, back)).AllowAnonymous().ExcludeFromDescription();

    /// <summary>Returns the sign-in page's text after a failed sign-in by the provider; null for an unknown reason.</summary>
    public static string? RefusalOf(string? reason, OidcSettings settings) => reason switch
    {
        "role" => $"{settings.Authority.Host} knows you, but gives you no role here. Whoever runs this server can say which you need.",
        "failed" => $"{settings.Authority.Host} did not sign you in. Try again, or use a token.",
        "away" => $"{settings.Authority.Host} can't be reached at present. Try again in a moment, or use a token.",
        _ => null,
    };

    private static async Task BeginAsync(HttpContext context, OidcSettings settings, string? back)
    {
        try
        {
            await context.ChallengeAsync(SchemeName, new AuthenticationProperties { RedirectUri = LocalAddress.Of(back) });
        }
        catch (Exception e) when (e is InvalidOperationException or HttpRequestException or IOException)
        {
            // The provider's configuration document could not be read.
            LogOf(context).LogWarning("{Provider} can't be reached: {Why}", settings.Authority, (e.InnerException ?? e).Message.ReplaceLineEndings(" "));
            context.Response.Redirect("/sign-in?refused=away");
        }
    }

    private static Task ReceiveAsync(TicketReceivedContext context, OidcSettings settings)
    {
        var person = context.Principal!;
        if (settings.RoleOf(person) is not { } role)
        {
            context.Response.Redirect("/sign-in?refused=role");
            context.HandleResponse();
            return Task.CompletedTask;
        }

        var sessions = context.HttpContext.RequestServices.GetRequiredService<Session>();
        context.Principal = sessions.OpenByProvider(NameOf(person), role);
        context.Properties!.AllowRefresh = false;
        // The session's cookie is SameSite=Strict, so the browser does not send it after a redirect from another site. The redirect
        // therefore goes to a page of this server that opens the wanted page. This second request carries the cookie.
        context.ReturnUri = "/signed-in?back=" + Uri.EscapeDataString(LocalAddress.Of(context.ReturnUri));
        return Task.CompletedTask;
    }

    private static string NameOf(ClaimsPrincipal person) =>
        NameClaims.Select(person.FindFirstValue).FirstOrDefault(n => !string.IsNullOrWhiteSpace(n)) ?? "somebody";

    private static ILogger LogOf(HttpContext context) => context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(Oidc).FullName!);
}
