using System.Collections.Immutable;
using Imapsync.Engine.SigningIn;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads an endpoint's <c>oauth:</c>.</summary>
/// <param name="isWanted">Whether the job will run, so that files and variables named in the settings must exist.</param>
internal sealed class OAuthReader(JobReadContext reading, bool isWanted)
{
    /// <summary>The environment variable with the default for <c>client_id</c>.</summary>
    public const string ClientIdVariable = "IMAPSYNC_OAUTH_CLIENT_ID";

    private const string Help = "docs/sign-in.md says step by step what to register";

    private static readonly (string Word, OAuthGrant Grant)[] Grants =
        [("device", OAuthGrant.Device), ("code", OAuthGrant.Code), ("client_credentials", OAuthGrant.ClientCredentials), ("jwt_bearer", OAuthGrant.JwtBearer)];

    /// <param name="protocol">The mail protocol the tokens are used for.</param>
    /// <returns>The sign-in; null after an error was reported.</returns>
    public OAuthSignIn? Read(SettingNode node, string user, MailProtocol protocol)
    {
        var errors = reading.Errors.Count;
        if (ReadProvider(node) is not { } provider)
            return null;
        var written = ReadEndpoints(node);
        var grant = ReadGrant(node, provider, written);
        var tenant = ReadTenant(node, provider, grant);
        var settings = new OAuthSettings(provider, user, ReadClientId(node, grant), grant)
        {
            Issuer = ReadUrl(node, "issuer"),
            Endpoints = new OAuthEndpoints
            {
                Token = written.Token ?? Fill(provider.TokenEndpoint, tenant),
                Authorization = written.Authorization ?? Fill(provider.AuthorizationEndpoint, tenant),
                DeviceAuthorization = written.DeviceAuthorization ?? Fill(provider.DeviceAuthorizationEndpoint, tenant),
                // A job with a token endpoint of its own does not use the provider's revocation endpoint, which would receive another
                // server's tokens.
                Revocation = written.Token is null ? provider.RevocationEndpoint : null,
            },
            ClientSecret = new SecretReader(reading, isWanted, "client_secret", "client secret").Read(node),
            Scopes = ReadScopes(node, provider, protocol, grant),
            ServiceAccountFile = ReadServiceAccount(node, grant),
            Subject = node.Text("subject") ?? (grant == OAuthGrant.JwtBearer ? user : null),
        };
        CheckClientSecret(node, settings);
        return reading.Errors.Count > errors ? null : new OAuthSignIn(settings, place: null, reading.Options.Environment, reading.Options.Time);
    }

    private OAuthProvider? ReadProvider(SettingNode node)
    {
        // A value of the wrong shape is reported by the schema check.
        if (node.Kind == SettingKind.Nothing || node.IsSequence)
            return null;
        var word = node.Kind == SettingKind.Value ? node.Value : node.Text("provider");
        if (word is not null)
        {
            if (node["issuer"] is { } issuer && !issuer.IsTakenAway())
                reading.Error(issuer.KeyOrigin, "'issuer' contradicts 'provider', whose endpoints are known", "keep one of them");
            return OAuthProviders.Find(word);
        }

        if (node.Text("issuer") is null && node.Text("token_endpoint") is null)
        {
            reading.Error(node.KeyOrigin, "'oauth' does not say who gives the tokens", $"add provider: {string.Join(" | ", OAuthProviders.Words)}, or issuer: https://…, or token_endpoint: https://… with the others");
            return null;
        }

        return OAuthProviders.Described;
    }

    private OAuthEndpoints ReadEndpoints(SettingNode node) => new()
    {
        Token = ReadUrl(node, "token_endpoint"),
        Authorization = ReadUrl(node, "authorization_endpoint"),
        DeviceAuthorization = ReadUrl(node, "device_authorization_endpoint"),
    };

    private string? ReadUrl(SettingNode node, string key)
    {
        if (node.Text(key) is not { } text)
            return null;
        if (OAuthEndpoints.IsSafe(text))
            return text;
        reading.Error(node.Origin(key), $"'{key}' is no https: address", "write one that begins with https:// (http:// is for this machine alone: secrets go there)");
        return null;
    }

    private OAuthGrant ReadGrant(SettingNode node, OAuthProvider provider, OAuthEndpoints written)
    {
        // Without the key 'grant', the other settings determine the grant type.
        var usual = node.Text("service_account_file") is not null ? OAuthGrant.JwtBearer
            : provider == OAuthProviders.Described && node.Text("issuer") is null && written.DeviceAuthorization is null && written.Authorization is not null ? OAuthGrant.Code
            : provider.Grants[0];
        var grant = Grants.Where(g => g.Word == node.Text("grant")).Select(g => (OAuthGrant?)g.Grant).FirstOrDefault() ?? usual;
        if (!provider.Grants.Contains(grant))
            reading.Error(node.Origin("grant"), $"'grant: {WordOf(grant)}' gives no mail at {provider.Name}", provider.WhyNoOther);
        foreach (var (asked, key, endpoint) in new[] { (OAuthGrant.Device, "device_authorization_endpoint", written.DeviceAuthorization), (OAuthGrant.Code, "authorization_endpoint", written.Authorization) })
        {
            if (grant == asked && provider == OAuthProviders.Described && node["issuer"] is null && endpoint is null && node.Text(key) is null)
                reading.Error(node.KeyOrigin, $"'grant: {WordOf(grant)}' needs '{key}'", $"add {key}: https://…");
        }

        return grant;
    }

    private static string WordOf(OAuthGrant grant) => Grants.First(g => g.Grant == grant).Word;

    private string? ReadTenant(SettingNode node, OAuthProvider provider, OAuthGrant grant)
    {
        var tenant = node.Text("tenant");
        if (tenant is null)
        {
            if (provider.Tenant is not null && provider.Grants.Contains(grant) && grant == OAuthGrant.ClientCredentials)
                reading.Error(node.KeyOrigin, "'grant: client_credentials' needs 'tenant': an application acts within one organization", "add tenant: its directory's ID or domain");
            return provider.Tenant;
        }

        if (provider.Word != "microsoft365")
            reading.Error(node["tenant"]!.KeyOrigin, "'tenant' means something to 'provider: microsoft365' alone", "remove it");
        else if (tenant.Length == 0 || !tenant.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-'))
            reading.Error(node.Origin("tenant"), "this is no tenant", "write the directory's ID (8-4-4-4-12 hexadecimal digits) or a domain of it");
        return tenant;
    }

    private static string? Fill(string? endpoint, string? tenant) => endpoint?.Replace(OAuthProvider.TenantMark, tenant, StringComparison.Ordinal);

    private string ReadClientId(SettingNode node, OAuthGrant grant)
    {
        if (node.Text("client_id") is { Length: > 0 } written)
            return written;
        // A service account's assertion already contains its identity, so no client ID is needed.
        if (grant == OAuthGrant.JwtBearer)
            return "";
        if (reading.Variable(ClientIdVariable) is { Length: > 0 } usual)
            return usual;
        if (isWanted && !IsMisspelt(node, "client_id"))
            reading.Error(node.KeyOrigin, "'oauth' needs 'client_id', the number of the client that you registered", $"add client_id: …, or set {ClientIdVariable}; {Help}");
        return "";
    }

    /// <summary>Returns whether the key is present but misspelt, which is reported elsewhere as an unknown key.</summary>
    private static bool IsMisspelt(SettingNode node, string key) =>
        node.Children.Any(c => c.Key != key && EditDistance.Nearest(c.Key, JobSchema.OAuth.Select(k => k.Name)) == key);

    private void CheckClientSecret(SettingNode node, OAuthSettings settings)
    {
        if (settings.ClientSecret is not null || node.Children.Any(c => c.Key.StartsWith("client_secret_", StringComparison.Ordinal)))
            return;
        var why = settings.Grant == OAuthGrant.ClientCredentials ? "'grant: client_credentials' needs the client's secret"
            : settings.Provider.WantsClientSecret && settings.NeedsPerson ? $"{settings.Provider.Name} wants the client's secret, also of a desktop application"
            : null;
        if (why is not null)
            reading.Error(node.KeyOrigin, why, "add client_secret_file, client_secret_env or client_secret_command");
    }

    private ImmutableArray<string> ReadScopes(SettingNode node, OAuthProvider provider, MailProtocol protocol, OAuthGrant grant)
    {
        if (node.List("scopes") is { } written)
        {
            foreach (var (text, origin) in written.Where(s => s.Text.Length == 0 || s.Text.Any(c => char.IsWhiteSpace(c) || char.IsControl(c))))
                reading.Error(origin, $"'{text}' is no scope", "write each scope as an entry of its own");
            return [.. written.Select(s => s.Text)];
        }

        var usual = provider.ScopesFor(protocol, grant);
        if (usual.IsEmpty && grant != OAuthGrant.ClientCredentials)
            reading.Error(node.KeyOrigin, "'oauth' needs 'scopes': what they are called is up to the server", "add scopes: [\"…\"] as its documents say, with offline_access where it wants that for a refresh token");
        return usual;
    }

    private string? ReadServiceAccount(SettingNode node, OAuthGrant grant)
    {
        foreach (var key in (string[])["service_account_file", "subject"])
        {
            if (grant != OAuthGrant.JwtBearer && node[key] is { } foreign && !foreign.IsTakenAway())
                reading.Error(foreign.KeyOrigin, $"'{key}' says nothing to 'grant: {WordOf(grant)}'", "remove it, or write grant: jwt_bearer");
        }

        if (grant != OAuthGrant.JwtBearer)
            return null;
        if (node.Text("service_account_file") is not { } text)
        {
            reading.Error(node.KeyOrigin, "'grant: jwt_bearer' needs 'service_account_file'", $"add service_account_file: the JSON file with the key; {Help}");
            return null;
        }

        var origin = node.Origin("service_account_file");
        if (reading.Resolve(origin, text) is not { } path)
            return null;
        if (isWanted)
        {
            if (!File.Exists(path))
                reading.Error(origin, $"{path} can't be read: there is no such file", "correct the path");
            reading.NoteWhenReadableByOthers(origin, path, UnixFileMode.GroupRead | UnixFileMode.OtherRead, $"the key in {path}");
        }

        return path;
    }
}
