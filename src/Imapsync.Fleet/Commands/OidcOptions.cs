using System.CommandLine;
using Imapsync.Fleet.Dashboard;

namespace Imapsync.Fleet.Commands;

/// <summary>The options of <c>serve</c> that describe an OpenID Connect provider.</summary>
internal sealed class OidcOptions
{
    private readonly Option<string> authority = new("--oidc-authority") { Description = "People may sign in by this provider of OpenID Connect, too.", HelpName = "URL" };
    private readonly Option<string> client = new("--oidc-client") { Description = "The identifier under which the provider knows this server.", HelpName = "ID" };
    private readonly Option<string> secretFile = new("--oidc-secret-file") { Description = "A file with the client's secret, where it has one.", HelpName = "FILE" };
    private readonly Option<string> roleClaim = new("--oidc-role-claim") { Description = "The claim of the ID token that says what a person may do.", HelpName = "NAME", DefaultValueFactory = _ => "roles" };
    private readonly Option<string> operate = new("--oidc-operate") { Description = "Who has this value of the claim may operate.", HelpName = "VALUE" };
    private readonly Option<string> look = new("--oidc-look") { Description = "Who has this value of the claim may look.", HelpName = "VALUE" };
    private readonly Option<string> publicUrl = new("--oidc-public-url") { Description = "Where browsers reach the pages, where something in front of it has another name.", HelpName = "URL" };

    public OidcOptions(Command command)
    {
        foreach (var option in new Option[] { authority, client, secretFile, roleClaim, operate, look, publicUrl })
            command.Add(option);
    }

    /// <returns>Null if no provider is given.</returns>
    public OidcSettings? SettingsOf(ParseResult parsed)
    {
        if (parsed.GetValue(authority) is not { } text)
        {
            return new Option[] { client, secretFile, operate, look, publicUrl }.FirstOrDefault(o => parsed.GetResult(o) is not null) is { } lonely
                ? throw new FleetException($"{lonely.Name} has no meaning without --oidc-authority; give the provider's URL")
                : null;
        }

        var url = UrlOf(authority, text);
        if (url.Scheme != Uri.UriSchemeHttps && !url.IsLoopback)
            throw new FleetException($"'{text}' is not reached by https, and so whoever is in between could sign in as anybody; give an https address as --oidc-authority");
        if (parsed.GetValue(client) is not { Length: > 0 } id)
            throw new FleetException("--oidc-client is missing; give the identifier under which the provider knows this server");
        if (parsed.GetValue(operate) is null && parsed.GetValue(look) is null)
            throw new FleetException("nobody could sign in by the provider; give --oidc-operate or --oidc-look, a value of the claim that --oidc-role-claim names");
        string? secret = null;
        if (parsed.GetValue(secretFile) is { } file)
            secret = File.ReadLines(file).FirstOrDefault()?.Trim() is { Length: > 0 } line ? line : throw new FleetException($"{file} is empty; its first line is to be the client's secret");
        return new OidcSettings(url, id, secret, parsed.GetValue(roleClaim)!, parsed.GetValue(operate), parsed.GetValue(look), parsed.GetValue(publicUrl) is { } own ? UrlOf(publicUrl, own) : null);
    }

    private static Uri UrlOf(Option option, string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "https" or "http" ? url : throw new FleetException($"'{text}' is no address; write {option.Name} like https://login.example.com/");
}
