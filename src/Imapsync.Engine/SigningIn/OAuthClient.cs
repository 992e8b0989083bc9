using Duende.IdentityModel;
using Duende.IdentityModel.Client;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.SigningIn;

/// <summary>Asks an authorization server for tokens (RFC 6749), the same way whichever it is. It reports, it never retries.</summary>
internal sealed class OAuthClient(OAuthSettings settings, TimeProvider time)
{
    /// <summary>A token that says nothing of its end is renewed after this.</summary>
    private static readonly TimeSpan UnknownLife = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>No redirects: whoever could send one would get the secrets of the next request.</summary>
    private static readonly HttpClient Http = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        MaxResponseContentBufferSize = 1 << 20,
        Timeout = Timeout.InfiniteTimeSpan,
    };

    private readonly DiscoveredEndpoints endpoints = new(settings);

    /// <summary>As last sent: an answer may repeat them, and nobody is to read them.</summary>
    private string? clientSecret;
    private string? assertion;

    public OAuthSettings Settings => settings;

    /// <summary>What to do about a refusal besides what is told of it.</summary>
    public Func<OAuthFault, string> Remedies { get; init; } = _ => "";

    /// <summary>For error texts.</summary>
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

    /// <summary>Once more by the server's clock where this machine's is that far off.</summary>
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

    /// <summary>One question whether somebody has signed in: the answer as it is.</summary>
    public async Task<TokenResponse> AskDeviceAsync(string deviceCode, CancellationToken cancellationToken)
    {
        var request = await PrepareAsync(new DeviceTokenRequest { DeviceCode = deviceCode }, cancellationToken);
        return await AskAsync(c => Http.RequestDeviceTokenAsync(request, c), cancellationToken);
    }

    /// <summary>Tells the server that a refresh token is not used any more (RFC 7009): false where it can't be told.</summary>
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

    /// <param name="secrets">What was sent besides the client's own secrets, and an answer may repeat.</param>
    /// <exception cref="MailException">The answer brings no token.</exception>
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
        // In the body: all of them take it there, and not all in a header.
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
