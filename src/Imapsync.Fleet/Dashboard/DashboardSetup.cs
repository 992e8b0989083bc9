using System.Reflection;
using Imapsync.Fleet.Serving;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.HttpOverrides;

namespace Imapsync.Fleet.Dashboard;

/// <summary>Sets up the web pages: their sessions, the protection against other sites, and their static files.</summary>
internal static class DashboardSetup
{
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
    private static readonly TimeSpan SessionTime = TimeSpan.FromHours(12);

    private static readonly Dictionary<string, string> Assets = new(StringComparer.Ordinal)
    {
        ["fleet.css"] = "text/css; charset=utf-8",
        ["fleet.js"] = "text/javascript; charset=utf-8",
        ["fleet.svg"] = "image/svg+xml",
    };

    /// <param name="keys">The directory of the keys that encrypt cookies; all servers of a fleet share it.</param>
    public static void AddDashboard(this IServiceCollection services, AuthenticationBuilder authentication, string keys, OidcSettings? oidc)
    {
        services.AddDataProtection().PersistKeysToFileSystem(new DirectoryInfo(keys)).SetApplicationName("imapsync-fleet");
        services.AddSingleton(p => new Session(p.GetRequiredService<Tokens>(), oidc, p.GetRequiredService<TimeProvider>())).AddSingleton<WrongTokens>().AddSingleton<LiveNumbers>().AddSingleton<Imports>();
        services.AddAntiforgery(a => Protect(a.Cookie, "imapsync-fleet-form"));
        services.AddRazorPages(r =>
        {
            r.RootDirectory = "/Dashboard/Pages";
            r.Conventions.AuthorizeFolder("/", Session.Look);
            r.Conventions.AllowAnonymousToPage("/SignIn");
            r.Conventions.AllowAnonymousToPage("/SignedIn");
            r.Conventions.AllowAnonymousToPage("/Problem");
        });
        // A proxy reports whether the browser used TLS, so that cookies get their Secure attribute. The header is accepted from anybody,
        // because a false one harms only the sender's own session.
        services.Configure<ForwardedHeadersOptions>(f =>
        {
            f.ForwardedHeaders = ForwardedHeaders.XForwardedProto;
            f.KnownProxies.Clear();
            f.KnownIPNetworks.Clear();
        });
        services.AddAuthorizationBuilder()
            .AddPolicy(Session.Look, p => p.AddAuthenticationSchemes(Session.SchemeName).RequireRole(nameof(Role.Look)))
            .AddPolicy(Session.Operate, p => p.AddAuthenticationSchemes(Session.SchemeName).RequireRole(nameof(Role.Operate)));
        if (oidc is not null)
            authentication.AddOidc(oidc);
        authentication.AddCookie(Session.SchemeName, c =>
        {
            Protect(c.Cookie, "imapsync-fleet");
            c.ExpireTimeSpan = SessionTime;
            c.Events = new CookieAuthenticationEvents
            {
                OnValidatePrincipal = ValidateAsync,
                OnRedirectToAccessDenied = x => Status(x.Response, StatusCodes.Status403Forbidden),
                OnRedirectToLogin = x =>
                {
                    var back = HttpMethods.IsGet(x.Request.Method) ? "?back=" + Uri.EscapeDataString(x.Request.Path + x.Request.QueryString) : "";
                    x.Response.Redirect("/sign-in" + back);
                    return Task.CompletedTask;
                },
            };
        });
    }

    /// <summary>
    /// Adds the middleware that runs before routing. It refuses changes that another site requests, and shows errors to browsers as a page.
    /// </summary>
    public static void UseDashboardProtection(this WebApplication app)
    {
        app.UseForwardedHeaders();
        app.UseWhen(IsForPeople, people =>
        {
            people.UseExceptionHandler("/problem");
            people.UseStatusCodePagesWithReExecute("/problem", "?status={0}");
            people.Use(async (context, next) =>
            {
                context.Response.Headers.ContentSecurityPolicy = Policy;
                if (IsChange(context.Request) && context.Request.Headers["Sec-Fetch-Site"].ToString() is not ("" or "same-origin" or "none"))
                    context.Response.StatusCode = StatusCodes.Status403Forbidden;
                else
                    await next(context);
            });
        });
    }

    public static void MapDashboard(this WebApplication app)
    {
        app.MapRazorPages();
        if (app.Services.GetRequiredService<Session>().Provider is { } provider)
            app.MapOidc(provider);
        app.MapGet("/live", LiveNumbers.Stream).RequireAuthorization(Session.Look).ExcludeFromDescription();
        app.MapGet("/accounts/results.csv", AccountQuery.Export).RequireAuthorization(Session.Look).ExcludeFromDescription();
        app.MapGet("/import/{id}/checked.csv", CheckModel.Table).RequireAuthorization(Session.Look).ExcludeFromDescription();
        foreach (var (name, type) in Assets)
        {
            var octets = ReadAsset(name);
            app.MapGet("/assets/" + name, (HttpContext context) =>
            {
                context.Response.Headers.CacheControl = "no-cache";
                return TypedResults.Bytes(octets, type, entityTag: new($"\"{typeof(DashboardSetup).Assembly.ManifestModule.ModuleVersionId}\""));
            }).AllowAnonymous().ExcludeFromDescription();
        }
    }

    private static bool IsForPeople(HttpContext context) =>
        !context.Request.Path.StartsWithSegments("/api", StringComparison.OrdinalIgnoreCase) && !context.Request.Path.StartsWithSegments("/openapi", StringComparison.OrdinalIgnoreCase)
        && context.Request.Path.Value is not ("/healthz" or "/readyz" or "/metrics");

    private static bool IsChange(HttpRequest request) => !HttpMethods.IsGet(request.Method) && !HttpMethods.IsHead(request.Method);

    private static void Protect(CookieBuilder cookie, string name)
    {
        cookie.Name = name;
        cookie.HttpOnly = true;
        cookie.SameSite = SameSiteMode.Strict;
        cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
    }

    private static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        if (context.HttpContext.RequestServices.GetRequiredService<Session>().Renew(context.Principal) is { } user)
        {
            context.ReplacePrincipal(user);
            return;
        }

        context.RejectPrincipal();
        await context.HttpContext.SignOutAsync(Session.SchemeName);
    }

    private static Task Status(HttpResponse response, int status)
    {
        response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static byte[] ReadAsset(string name)
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("Imapsync.Fleet.Dashboard.Assets." + name)!;
        var octets = new byte[stream.Length];
        stream.ReadExactly(octets);
        return octets;
    }
}
