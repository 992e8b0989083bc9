using System.Globalization;
using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using static OpenIddict.Server.OpenIddictServerEvents;

namespace Imapsync.Fleet.Tests.Dashboard;

/// <summary>A provider of OpenID Connect (OpenIddict) with one client. A sign-in succeeds for any user and role that the browser names.</summary>
public sealed class IdentityProvider : IAsyncDisposable
{
    public const string Client = "fleet";
    public const string Secret = "client-secret-4711";

    private readonly WebApplication app;

    private IdentityProvider()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0));
        builder.Services.AddOpenIddict().AddServer(o =>
        {
            o.SetAuthorizationEndpointUris("authorize").SetTokenEndpointUris("token").AllowAuthorizationCodeFlow().RequireProofKeyForCodeExchange();
            o.AddEphemeralEncryptionKey().AddEphemeralSigningKey().EnableDegradedMode().RegisterScopes(OpenIddictConstants.Scopes.Profile);
            o.UseAspNetCore().DisableTransportSecurityRequirement();
            o.AddEventHandler<ValidateAuthorizationRequestContext>(b => b.UseInlineHandler(c =>
            {
                if (c.ClientId != Client || c.RedirectUri != Returns)
                    c.Reject(OpenIddictConstants.Errors.InvalidClient);
                return default;
            }));
            o.AddEventHandler<ValidateTokenRequestContext>(b => b.UseInlineHandler(c =>
            {
                if (c.ClientId != Client || c.ClientSecret != Secret)
                    c.Reject(OpenIddictConstants.Errors.InvalidClient);
                return default;
            }));
            o.AddEventHandler<HandleAuthorizationRequestContext>(b => b.UseInlineHandler(DecideAsync));
        });
        app = builder.Build();
        app.UseAuthentication();
        app.MapGet("/", () => "a provider");
    }

    /// <summary>The only redirect URI that the provider accepts.</summary>
    public string Returns { get; set; } = "";

    /// <summary>The provider's URL. Its host is <c>localhost</c>, which for browsers is another site than 127.0.0.1.</summary>
    public Uri Address => new($"http://localhost:{new Uri(app.Urls.First()).Port.ToString(CultureInfo.InvariantCulture)}/");

    public static async Task<IdentityProvider> StartAsync()
    {
        var provider = new IdentityProvider();
        await provider.app.StartAsync();
        return provider;
    }

    public Task StopAsync() => app.StopAsync();

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private static async ValueTask DecideAsync(HandleAuthorizationRequestContext context)
    {
        var http = context.Transaction.GetHttpRequest()!.HttpContext;
        var asked = context.Request;
        if ((string?)asked["user"] is not { Length: > 0 } user)
        {
            http.Response.ContentType = "text/html; charset=utf-8";
            await http.Response.WriteAsync($"""
                <!doctype html><html lang="en"><title>Provider</title><form method="post" action="/authorize">
                {string.Concat(asked.GetParameters().Select(p => $"<input type=\"hidden\" name=\"{WebUtility.HtmlEncode(p.Key)}\" value=\"{WebUtility.HtmlEncode(p.Value.ToString())}\">"))}
                <label>User <input name="user"></label> <label>Role <input name="role"></label> <button>Sign in here</button></form>
                """);
            context.HandleRequest();
            return;
        }

        if (user == "refused")
        {
            context.Reject(OpenIddictConstants.Errors.AccessDenied);
            return;
        }

        var identity = new ClaimsIdentity("provider");
        identity.SetClaim(OpenIddictConstants.Claims.Subject, "subject of " + user).SetClaim(OpenIddictConstants.Claims.PreferredUsername, user);
        identity.SetClaims("groups", [.. ((string?)asked["role"] ?? "").Split(' ')]);
        identity.SetDestinations(_ => [OpenIddictConstants.Destinations.IdentityToken]);
        var principal = new ClaimsPrincipal(identity);
        principal.SetScopes(asked.GetScopes());
        context.SignIn(principal);
    }
}
