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

/// <summary>The web server: the API, the dashboard and their protections.</summary>
internal static class FleetServer
{
    public static JsonSerializerOptions Json { get; } = Name(new JsonSerializerOptions(JsonSerializerDefaults.Web));

    /// <param name="certificate">Null: clear text.</param>
    /// <param name="keys">The directory of the keys that the browsers' cookies are sealed with.</param>
    /// <param name="oidc">By which people may sign in, too; null for tokens alone.</param>
    public static WebApplication Build(IPEndPoint address, X509Certificate2? certificate, FleetStore store, BatchReader reader, Tokens tokens, string keys, OidcSettings? oidc = null)
    {
        // The pages are looked for in the assembly of this name, whichever program it runs in.
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
        // The API admits tokens only: a browser's cookie, which any page can cause to be sent, counts for nothing there.
        services.AddAuthorizationBuilder()
            .AddPolicy(nameof(Role.Look), p => p.AddAuthenticationSchemes(TokenHandler.SchemeName).RequireRole(nameof(Role.Look)))
            .AddPolicy(nameof(Role.Operate), p => p.AddAuthenticationSchemes(TokenHandler.SchemeName).RequireRole(nameof(Role.Operate)));
        services.AddDashboard(authentication, keys, oidc);
        services.AddOpenApi(o => o.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "imapsync-fleet";
            return Task.CompletedTask;
        }));
        // On a loopback address only local host names are accepted, so that a foreign page whose name resolves to this address gets nothing.
        if (IPAddress.IsLoopback(address.Address))
            services.Configure<HostFilteringOptions>(h => h.AllowedHosts = ["localhost", "127.0.0.1", "[::1]"]);

        var app = builder.Build();
        app.UseHostFiltering();
        app.Use(async (context, next) =>
        {
            var headers = context.Response.Headers;
            // No answer of the API is a web page, so a browser that treats one as a page may load and run nothing.
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
        // Tags are escaped in JSON, so that a browser that treats the answer as a page finds none.
        options.Encoder = JavaScriptEncoder.Default;
        options.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.DictionaryKeyPolicy = JsonNamingPolicy.SnakeCaseLower;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
        return options;
    }
}
