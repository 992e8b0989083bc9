using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Imapsync.Fleet.Dashboard;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.Preflights;
using Imapsync.Fleet.SigningIn;
using Imapsync.Fleet.Submitting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.HostFiltering;
using Microsoft.AspNetCore.Http.Features;

namespace Imapsync.Fleet.Serving;

/// <summary>The web server: the API, the web pages, and their protection.</summary>
internal static class FleetServer
{
    public static JsonSerializerOptions Json { get; } = Name(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    /// <param name="certificate">The certificate for TLS; null to serve in clear text.</param>
    /// <param name="keys">The directory of the keys that encrypt the browsers' cookies.</param>
    /// <param name="oidc">The provider by which people may sign in as well; null if only tokens are accepted.</param>
    public static WebApplication Build(IPEndPoint address, X509Certificate2? certificate, FleetStore store, BatchReader reader, Tokens tokens, string keys, OidcSettings? oidc = null)
    {
        // ASP.NET looks for the pages in the assembly of this name, so name this assembly, whichever program it runs in.
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = typeof(FleetServer).Assembly.GetName().Name });
        builder.Logging.ClearProviders().AddSimpleConsole(o => o.SingleLine = true).AddFilter("Microsoft", LogLevel.Warning).AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error).AddFilter(typeof(TokenHandler).FullName, LogLevel.Warning);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(k =>
        {
            k.AddServerHeader = false;
            k.Limits.MaxRequestBodySize = Api.LargestRequest;
            k.Listen(address, l =>
            {
                if (certificate is not null)
                    l.UseHttps(certificate);
            });
        });
        var services = builder.Services;
        // Requests contain passwords, so they stay in memory and are never buffered on disk.
        services.Configure<FormOptions>(f => (f.MemoryBufferThreshold, f.MultipartBodyLengthLimit, f.ValueLengthLimit) = (Api.LargestUpload, Api.LargestUpload, 4096));
        services.ConfigureHttpJsonOptions(j => Name(j.SerializerOptions));
        services.AddSingleton(store).AddSingleton(reader).AddSingleton(tokens).AddSingleton(TimeProvider.System).AddSingleton<PreflightDesk>();
        services.AddSingleton(new SignIns(store.SignIns, reader.Seal, TimeProvider.System));
        var authentication = services.AddAuthentication(TokenHandler.SchemeName).AddScheme<AuthenticationSchemeOptions, TokenHandler>(TokenHandler.SchemeName, null);
        // The API accepts tokens only. Cookies give no access, because a browser also sends its cookie with requests that other sites
        // cause.
        services.AddAuthorizationBuilder()
            .AddPolicy(nameof(Role.Look), p => p.AddAuthenticationSchemes(TokenHandler.SchemeName).RequireRole(nameof(Role.Look)))
            .AddPolicy(nameof(Role.Operate), p => p.AddAuthenticationSchemes(TokenHandler.SchemeName).RequireRole(nameof(Role.Operate)));
        services.AddDashboard(authentication, keys, oidc);
        services.AddOpenApi(o => o.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "imapsync-fleet";
            return Task.CompletedTask;
        }));
        // On a loopback address only local host names are accepted. Otherwise another site whose name resolves to this address would get
        // access.
        if (IPAddress.IsLoopback(address.Address))
            services.Configure<HostFilteringOptions>(h => h.AllowedHosts = ["localhost", "127.0.0.1", "[::1]"]);

        var app = builder.Build();
        app.UseHostFiltering();
        app.Use(async (context, next) =>
        {
            var headers = context.Response.Headers;
            // Answers of the API are not web pages. If a browser shows one as a page, this policy keeps it from loading or running
            // anything.
            headers.ContentSecurityPolicy = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "no-referrer";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers.CacheControl = "no-cache, no-store";
            headers.Pragma = "no-cache";
            await next(context);
        });
        app.UseDashboardProtection();
        app.UseRouting();
        app.UseMiddleware<UploadLimit>();
        app.UseAuthentication();
        app.UseAuthorization();
        Api.Map(app);
        app.MapDashboard();
        return app;
    }

    private static JsonSerializerOptions Name(JsonSerializerOptions options)
    {
        // Escape tags in JSON, so that a browser that treats an answer as a page finds none.
        options.Encoder = JavaScriptEncoder.Default;
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.DictionaryKeyPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
        return options;
    }
}
