using Duende.IdentityModel.Client;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// The OAuth endpoints from the settings. When an issuer is configured, missing endpoints come from its discovery document (OpenID Connect
/// Discovery, RFC 8414), which is read once.
/// </summary>
internal sealed class DiscoveredEndpoints(OAuthSettings settings)
{
    private static readonly string[] Paths = [".well-known/openid-configuration", ".well-known/oauth-authorization-server"];

    private volatile OAuthEndpoints? found = settings.Issuer is null ? settings.Endpoints : null;

    /// <exception cref="MailException"/>
    public async Task<OAuthEndpoints> FindAsync(HttpMessageInvoker http, string what, CancellationToken cancellationToken)
    {
        if (found is { } known)
            return known;
        DiscoveryDocumentResponse? document = null;
        foreach (var path in Paths)
        {
            // ValidateEndpoints is off because the endpoints may be on a different host than the issuer (Google's are). Whether they
            // use TLS is checked below.
            var request = new DiscoveryDocumentRequest
            {
                Address = settings.Issuer,
                Policy = new DiscoveryPolicy { DiscoveryDocumentPath = path, ValidateEndpoints = false, RequireKeySet = false },
            };
            document = await http.GetDiscoveryDocumentAsync(request, cancellationToken);
            if (!document.IsError)
                break;
        }

        if (document!.IsError)
            throw OAuthFailure.Of(document, $"{what}: the discovery document of {settings.Issuer} can't be had", _ => "; look at 'issuer', or write the endpoints themselves");
        var endpoints = settings.Endpoints with
        {
            Authorization = settings.Endpoints.Authorization ?? document.AuthorizeEndpoint,
            Token = settings.Endpoints.Token ?? document.TokenEndpoint,
            DeviceAuthorization = settings.Endpoints.DeviceAuthorization ?? document.DeviceAuthorizationEndpoint,
            Revocation = settings.Endpoints.Revocation ?? document.RevocationEndpoint,
            Issuer = document.Issuer,
        };
        foreach (var url in (string?[])[endpoints.Authorization, endpoints.Token, endpoints.DeviceAuthorization, endpoints.Revocation])
        {
            if (url is not null && !OAuthEndpoints.IsSafe(url))
                throw new MailException(FailureScope.Store, isTransient: false, $"{what}: the discovery document of {settings.Issuer} names an endpoint without TLS, which gets no secret");
        }

        return found = endpoints;
    }
}
