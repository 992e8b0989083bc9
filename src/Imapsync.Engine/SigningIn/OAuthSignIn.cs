using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// The OAuth 2 access tokens of one account. Every caller gets a token with enough lifetime left: a token is renewed before it expires,
/// once for all connections. When a person signs in, the refresh token is stored by an <see cref="ISignInKeeper"/>. When the server issues
/// a new refresh token with an access token, the refresh token is durably stored before the access token is used.
/// </summary>
public sealed class OAuthSignIn : TokenReference, IDisposable
{
    private readonly OAuthSettings settings;
    private readonly OAuthClient client;
    private readonly ISignInKeeper? keeper;
    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim turn = new(1, 1);
    private HeldToken? held;

    /// <summary>
    /// A refresh token that was issued but could not be stored, with the used-up token that it replaces. It is used only while the used-up
    /// token is still stored: if the stored token has changed, somebody has signed in again or out since.
    /// </summary>
    private (string Spent, string Given)? unsaved;

    /// <param name="place">
    /// Where the sign-in is stored; null if that is not known yet. As long as it is null, no sign-in can be stored.
    /// </param>
    internal OAuthSignIn(OAuthSettings settings, SignInPlace? place, IReadOnlyDictionary<string, string> environment, TimeProvider time)
        : this(settings, place is null ? null : new FileSignInKeeper(place, environment, time), environment, time)
    {
    }

    private OAuthSignIn(OAuthSettings settings, ISignInKeeper? keeper, IReadOnlyDictionary<string, string> environment, TimeProvider time)
    {
        (this.settings, this.keeper, this.environment, this.time) = (settings, keeper, environment, time);
        client = new OAuthClient(settings, time) { Remedies = RemedyFor };
    }

    internal OAuthSettings Settings => settings;

    /// <summary>Whether a person has to sign in; false for a grant that needs only the settings of the job file.</summary>
    public bool NeedsPerson => settings.NeedsPerson;

    /// <summary>The token provider's name for display.</summary>
    public string ProviderName => settings.Provider.Name;

    /// <summary>Where the sign-in is stored, for display: a path in most cases; empty when none can be stored.</summary>
    public string KeptFile => keeper?.Place ?? "";

    /// <summary>Returns the same sign-in, stored in the given job's state.</summary>
    internal OAuthSignIn KeptIn(SignInPlace place) => new(settings, place, environment, time);

    /// <summary>Returns the same sign-in, stored by the given keeper.</summary>
    public OAuthSignIn KeptIn(ISignInKeeper where) => new(settings, where, environment, time);

    public override async ValueTask<Secret> ReadAsync(CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            if (held is null || !held.IsGood(time))
                await RenewAsync(cancellationToken);
            return held!.Secret;
        }
        finally
        {
            turn.Release();
        }
    }

    public override async ValueTask<Secret> RenewAsync(Secret refused, CancellationToken cancellationToken)
    {
        await turn.WaitAsync(cancellationToken);
        try
        {
            if (held is null || held.Secret.Reveal() == refused.Reveal())
                await RenewAsync(cancellationToken);
            return held!.Secret;
        }
        finally
        {
            turn.Release();
        }
    }

    public override string WhyRefused(Secret refused, TokenRefusal? said) =>
        TokenRefusalText.For(settings, refused, held?.Token, said, NeedsPerson ? keeper?.Command : null);

    /// <summary>Lets a person sign in and stores the sign-in, replacing an older one.</summary>
    /// <returns>Where the encryption key is stored, for display; empty for a key file beside the sign-in.</returns>
    /// <exception cref="MailException"/>
    /// <exception cref="IOException">The job's state directory belongs to somebody else or can't be written.</exception>
    public async Task<string> SignInAsync(SignInDialogue dialogue, KeyPlace key, CancellationToken cancellationToken)
    {
        keeper!.RequireUsable();
        var token = settings.Grant == OAuthGrant.Device
            ? await DeviceSignIn.RunAsync(client, dialogue, time, cancellationToken)
            : await BrowserSignIn.RunAsync(client, dialogue, time, cancellationToken);
        if (token.RefreshToken is not { } refreshToken)
        {
            throw new MailException(
                FailureScope.Store, isTransient: false,
                $"{client.What}: no refresh token was given, so nothing can be kept; look at 'scopes' (many servers want offline_access) and at what the client is registered for")
            { Kind = FailureKind.Authentication };
        }

        // This step can't be cancelled, since the authorization code can't be used again.
        return await keeper.KeepAsync(settings.Binding, refreshToken, key);
    }

    /// <summary>Deletes the stored sign-in and revokes its refresh token at the server when that is possible.</summary>
    public async Task<SignOutOutcome> SignOutAsync(CancellationToken cancellationToken)
    {
        held = null;
        IKeptSignIn? kept;
        try
        {
            kept = await keeper!.TakeAsync(settings.Binding, cancellationToken);
        }
        catch (SignInLostException)
        {
            // A stored sign-in that can't be used is deleted, too.
            return await keeper!.RemoveAsync() ? SignOutOutcome.Forgotten : SignOutOutcome.WasNotIn;
        }

        if (kept is null)
            return SignOutOutcome.WasNotIn;
        await using (kept)
        {
            var isTold = false;
            try
            {
                isTold = await client.RevokeAsync(kept.RefreshToken, cancellationToken);
            }
            catch (MailException)
            {
                // The stored sign-in is deleted even when the token can't be revoked.
            }

            return !await keeper.RemoveAsync() ? SignOutOutcome.WasNotIn : isTold ? SignOutOutcome.Revoked : SignOutOutcome.Forgotten;
        }
    }

    public override string ToString() => $"sign-in to {settings.Provider.Name}";

    public void Dispose() => turn.Dispose();

    private async Task RenewAsync(CancellationToken cancellationToken)
    {
        var token = settings.Grant switch
        {
            OAuthGrant.ClientCredentials => await client.ActForItselfAsync(cancellationToken),
            OAuthGrant.JwtBearer => await client.AssertAsync(cancellationToken),
            _ => await RefreshAsync(cancellationToken),
        };
        held = new HeldToken(token, time);
    }

    private async Task<IssuedToken> RefreshAsync(CancellationToken cancellationToken)
    {
        if (keeper is null)
            throw SignInFirst("this endpoint has no job to keep a sign-in in");
        try
        {
            await using var kept = await keeper.TakeAsync(settings.Binding, cancellationToken) ?? throw SignInFirst("nobody has signed in yet");
            var refreshToken = kept.RefreshToken;
            if (unsaved is var (spent, replacement) && spent == refreshToken)
                refreshToken = replacement;
            // This test write detects a full or read-only disk before the refresh token is used, since a refresh token may be valid only once.
            if (!await kept.ReplaceAsync(refreshToken, cancellationToken))
                throw new MailException(FailureScope.Store, isTransient: true, $"{client.What}: somebody signs in just now") { Kind = FailureKind.Connect };
            // Nothing may be cancelled from here on: the response may contain the next refresh token, and the server sends it only once.
            var token = await client.RefreshAsync(refreshToken, CancellationToken.None);
            if (token.RefreshToken is { } given && given != refreshToken)
            {
                unsaved = (refreshToken, given);
                // If this stores nothing, somebody has signed in again or signed out in the meantime. Then the new refresh token is not
                // needed.
                await kept.ReplaceAsync(given, CancellationToken.None);
            }

            unsaved = null;
            return token;
        }
        catch (SignInLostException e)
        {
            throw SignInFirst($"the sign-in that is kept in {keeper.Place} is of no use: {e.Message}");
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new MailException(FailureScope.Store, isTransient: false, $"{client.What}: the sign-in can't be kept: {FileErrors.Explain(e)}", e);
        }
    }

    private MailException SignInFirst(string why) =>
        new(FailureScope.Store, isTransient: false, $"{client.What}: {why}{SignInRemedy}") { Kind = FailureKind.Authentication };

    private string SignInRemedy => keeper is null ? "; write the job into a file and sign in with 'imapsync login'" : $"; run '{keeper.Command}'";

    private string RemedyFor(OAuthFault fault) => fault switch
    {
        OAuthFault.Over or OAuthFault.Denied or OAuthFault.Late when NeedsPerson => SignInRemedy,
        OAuthFault.Over => "; look at 'service_account_file' and 'subject', and whether the service account may act for the domain's users (docs/sign-in.md)",
        OAuthFault.Client => "; look at 'client_id', at the client's secret and its last day, and at what it is registered for (docs/sign-in.md)",
        OAuthFault.Scope => "; look at 'scopes' and at the permissions that the client was given (docs/sign-in.md)",
        _ => "",
    };

    /// <summary>An access token and the time it was obtained.</summary>
    private sealed class HeldToken(IssuedToken token, TimeProvider time)
    {
        /// <summary>How long before its expiry a token is renewed. A token with a short lifetime is renewed when a quarter of the lifetime remains.</summary>
        private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

        private readonly long since = time.GetTimestamp();
        private readonly DateTimeOffset sinceByClock = time.GetUtcNow();

        public IssuedToken Token => token;

        public Secret Secret { get; } = new(token.AccessToken);

        /// <summary>
        /// Returns whether the token's expiry is still far by both clocks. The monotonic clock may stop while a machine sleeps; the wall
        /// clock can be changed by a person.
        /// </summary>
        public bool IsGood(TimeProvider now)
        {
            var use = token.Life - (token.Life / 4 < Margin ? token.Life / 4 : Margin);
            return now.GetElapsedTime(since) < use && now.GetUtcNow() - sinceByClock < use;
        }
    }
}

/// <summary>The result of signing out.</summary>
public enum SignOutOutcome
{
    /// <summary>No sign-in was stored.</summary>
    WasNotIn,

    /// <summary>The stored sign-in was deleted, but the token was not revoked at the server.</summary>
    Forgotten,

    /// <summary>The stored sign-in was deleted, and the server has revoked the token.</summary>
    Revoked,
}
