using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// Requests tokens from an authorization server (RFC 6749), in the same way for every provider. It reports errors and never retries.
/// </summary>
internal sealed class OAuthClient(OAuthSettings settings, TimeProvider time)
{
    /// <summary>The assumed lifetime of an access token whose response names none, so the token is renewed after this time.</summary>
    private static readonly TimeSpan UnknownLife = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Redirects are not followed, since the redirect's destination would receive the secrets of the next request.</summary>
    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        MaxResponseContentBufferSize = 1 << 20,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly DiscoveredEndpoints endpoints = new(settings);

    /// <summary>The client secret and the assertion as last sent. A response may repeat them, so they are removed from error texts.</summary>
    private string? clientSecret;
    private string? assertion;

    public OAuthSettings Settings => settings;

    /// <summary>Returns the advice for a kind of fault, which is appended to the error text.</summary>
    public Func<OAuthFault, string> Remedies { get; init; } = _ => "";

    /// <summary>The beginning of every error text: which sign-in failed.</summary>
    public string What => $"cannot sign in to {settings.Provider.Name} for {settings.User}";

    public Task<OAuthEndpoints> EndpointsAsync(CancellationToken cancellationToken) => AskAsync(c => endpoints.FindAsync(Http, What, c), cancellationToken);

    public async Task<IssuedToken> RefreshAsync(string refreshToken, CancellationToken cancellationToken)
    {
        var request = await PrepareAsync(new RefreshTokenRequest { RefreshToken = refreshToken }, cancellationToken);
        var response = await AskAsync(c => Http.RequestRefreshTokenAsync(request, c), cancellationToken);
        return Issued(response, refreshToken);
    }

    public async Task<IssuedToken> RedeemAsync(string code, string redirect, string verifier, CancellationToken cancellationToken)
    {
        var request = await PrepareAsync(new AuthorizationCodeTokenRequest { Code = code, RedirectUri = redirect, CodeVerifier = verifier }, cancellationToken);
        var response = await AskAsync(c => Http.RequestAuthorizationCodeTokenAsync(request, c), cancellationToken);
        return Issued(response, code, verifier);
    }

    public async Task<IssuedToken> ActForItselfAsync(CancellationToken cancellationToken)
    {
        var request = await PrepareAsync(new ClientCredentialsTokenRequest { Scope = settings.Scope }, cancellationToken);
        var response = await AskAsync(c => Http.RequestClientCredentialsTokenAsync(request, c), cancellationToken);
        return Issued(response);
    }

    /// <summary>
    /// Obtains a token with a service account's assertion. When the assertion is rejected and the clocks differ too much, a second attempt
    /// uses the server's time.
    /// </summary>
    public async Task<IssuedToken> AssertAsync(CancellationToken cancellationToken)
    {
        using var account = ServiceAccount.Read(settings.ServiceAccountFile!);
        var response = await AssertAsync(account, TimeSpan.Zero, cancellationToken);
        if (OAuthFailure.FaultOf(response) == OAuthFault.Over && ClockAhead(response) is { } ahead && ClockSkew.IsFar(ahead))
            response = await AssertAsync(account, ahead, cancellationToken);
        return Issued(response);
    }

    private async Task<TokenResponse> AssertAsync(ServiceAccount account, TimeSpan ahead, CancellationToken cancellationToken)
    {
        var request = await PrepareAsync(new TokenRequest { GrantType = OidcConstants.GrantTypes.JwtBearer }, cancellationToken);
        var audience = (await EndpointsAsync(cancellationToken)).Token!;
        assertion = account.Sign(audience, settings.Scope, settings.Subject, time.GetUtcNow() + ahead);
        request.Parameters.AddRequired("assertion", assertion);
        return await AskAsync(c => Http.RequestTokenAsync(request, c), cancellationToken);
    }

    public async Task<DeviceAuthorizationResponse> BeginDeviceAsync(CancellationToken cancellationToken)
    {
        var request = new DeviceAuthorizationRequest
        {
            Address = (await EndpointsAsync(cancellationToken)).DeviceAuthorization ?? throw Unknown("device_authorization_endpoint", "write it, or sign in by 'grant: code'"),
            ClientId = settings.ClientId,
            ClientSecret = await ReadClientSecretAsync(cancellationToken),
            ClientCredentialStyle = ClientCredentialStyle.PostBody,
            Scope = settings.Scope,
        };
        var response = await AskAsync(c => Http.RequestDeviceAuthorizationAsync(request, c), cancellationToken);
        return response.IsError || response.DeviceCode is null || response.UserCode is null ? throw Refused(response) : response;
    }

    /// <summary>Polls once whether the person has signed in, and returns the response unchanged.</summary>
    public async Task<TokenResponse> AskDeviceAsync(string deviceCode, CancellationToken cancellationToken)
    {
        var request = await PrepareAsync(new DeviceTokenRequest { DeviceCode = deviceCode }, cancellationToken);
        return await AskAsync(c => Http.RequestDeviceTokenAsync(request, c), cancellationToken);
    }

    /// <summary>Revokes a refresh token at the server (RFC 7009). Returns false when the server has no revocation endpoint or refuses.</summary>
    public async Task<bool> RevokeAsync(string refreshToken, CancellationToken cancellationToken)
    {
        if ((await EndpointsAsync(cancellationToken)).Revocation is not { } address)
            return false;
        var request = new TokenRevocationRequest
        {
            Address = address,
            ClientId = settings.ClientId,
            ClientSecret = await ReadClientSecretAsync(cancellationToken),
            ClientCredentialStyle = ClientCredentialStyle.PostBody,
            Token = refreshToken,
            TokenTypeHint = OidcConstants.TokenTypes.RefreshToken,
        };
        return !(await AskAsync(c => Http.RevokeTokenAsync(request, c), cancellationToken)).IsError;
    }

    /// <summary>Turns a successful token response into an <see cref="IssuedToken"/>.</summary>
    /// <param name="secrets">
    /// Further secrets of the request, besides the client's own, that a response may repeat; they are removed from error texts.
    /// </param>
    /// <exception cref="MailException">The response contains no token.</exception>
    public IssuedToken Issued(TokenResponse response, params ReadOnlySpan<string?> secrets)
    {
        if (response.IsError || string.IsNullOrEmpty(response.AccessToken))
            throw Refused(response, secrets);
        return new IssuedToken(response.AccessToken, response.ExpiresIn > 0 ? TimeSpan.FromSeconds(response.ExpiresIn) : UnknownLife)
        {
            RefreshToken = string.IsNullOrEmpty(response.RefreshToken) ? null : response.RefreshToken,
            Scope = response.Scope,
            ClockAhead = ClockAhead(response),
        };
    }

    private MailException Refused(ProtocolResponse response, params ReadOnlySpan<string?> secrets)
    {
        var skew = OAuthFailure.FaultOf(response) == OAuthFault.Over && ClockAhead(response) is { } ahead ? ClockSkew.Describe(ahead) : "";
        return OAuthFailure.Of(response, What, fault => skew + Remedies(fault), [.. secrets, clientSecret, assertion]);
    }

    private MailException Unknown(string endpoint, string remedy) =>
        new(FailureScope.Store, isTransient: false, $"{What}: its discovery document names no {endpoint}; {remedy}") { Kind = FailureKind.Configuration };

    private TimeSpan? ClockAhead(ProtocolResponse response) => response.HttpResponse?.Headers.Date is { } its ? its - time.GetUtcNow() : null;

    private async Task<T> PrepareAsync<T>(T request, CancellationToken cancellationToken)
        where T : ProtocolRequest
    {
        request.Address = (await EndpointsAsync(cancellationToken)).Token ?? throw Unknown("token_endpoint", "write it");
        request.ClientId = settings.ClientId;
        request.ClientSecret = await ReadClientSecretAsync(cancellationToken);
        // The client credentials go into the request body, since every provider accepts them there and some don't accept a header.
        request.ClientCredentialStyle = ClientCredentialStyle.PostBody;
        return request;
    }

    private async Task<string?> ReadClientSecretAsync(CancellationToken cancellationToken) =>
        clientSecret = settings.ClientSecret is { } secret ? (await secret.ReadAsync(cancellationToken)).Reveal() : null;

    private async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await ask(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new MailException(FailureScope.Store, isTransient: true, $"{What}: there was no answer within {Patience.TotalSeconds:0} seconds") { Kind = FailureKind.Connect };
        }
    }
}
