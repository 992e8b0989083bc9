using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// The access tokens of one account, by OAuth 2: one that is good for a while yet to whoever asks, renewed ahead of its end, once for
/// however many connections. Where a person signed in, the refresh token is kept in the job's state; a new one is durable there before
/// the access token that came with it is used.
/// </summary>
public sealed class OAuthSignIn : TokenReference, IDisposable
{
    private readonly OAuthSettings settings;
    private readonly OAuthClient client;
    private readonly SignInPlace? place;
    private readonly KeptSignIn? kept;
    private readonly IReadOnlyDictionary<string, string> environment;
    private readonly TimeProvider time;
    private readonly SemaphoreSlim turn = new(1, 1);
    private HeldToken? held;

    /// <summary>
    /// A refresh token that was given and could not be written, and the spent one that it replaces. It counts as long as the spent one is on
    /// disk: whoever signed in anew or out since then meant that.
    /// </summary>
    private (string Spent, string Given)? unsaved;

    /// <param name="place">Null as long as it is not known: then nothing can be kept.</param>
    internal OAuthSignIn(OAuthSettings settings, SignInPlace? place, IReadOnlyDictionary<string, string> environment, TimeProvider time)
    {
        (this.settings, this.place, this.environment, this.time) = (settings, place, environment, time);
        kept = place is null ? null : new KeptSignIn(place.File, new SealingKeys(place.File, environment, ProgramKey.RunAsync));
        client = new OAuthClient(settings, time) { Remedies = RemedyFor };
    }

    internal OAuthSettings Settings => settings;

    /// <summary>False for a grant that has all it needs in the job file.</summary>
    public bool NeedsPerson => settings.NeedsPerson;

    /// <summary>As people call who gives the tokens.</summary>
    public string ProviderName => settings.Provider.Name;

    /// <summary>Where a sign-in is kept; empty where nothing can be.</summary>
    public string KeptFile => place?.File ?? "";

    /// <summary>The same, kept in a job's state.</summary>
    internal OAuthSignIn KeptIn(SignInPlace where) => new(settings, where, environment, time);

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
        TokenRefusalText.For(settings, refused, held?.Token, said, NeedsPerson ? place?.Command : null);

    /// <summary>A person signs in, and the sign-in is kept in place of an older one.</summary>
    /// <returns>Where its key lies, for people; empty for a file beside it.</returns>
    /// <exception cref="MailException"/>
    /// <exception cref="IOException">The job's state directory is somebody else's, or can't be written.</exception>
    public async Task<string> SignInAsync(SignInDialogue dialogue, KeyPlace key, CancellationToken cancellationToken)
    {
        new StateDirectory(place!.Directory).RequireOurs();
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

        // Not to be interrupted: the code is spent.
        using var mine = await SignInLock.TakeAsync(place, time, CancellationToken.None);
        return await kept!.WriteAnewAsync(settings.Binding, refreshToken, key, CancellationToken.None);
    }

    /// <summary>Forgets the sign-in, and tells the server so where it can be told.</summary>
    public async Task<SignOutOutcome> SignOutAsync(CancellationToken cancellationToken)
    {
        if (!kept!.Exists)
            return SignOutOutcome.WasNotIn;
        using var mine = await SignInLock.TakeAsync(place!, time, cancellationToken);
        var isTold = false;
        try
        {
            if (await kept.ReadAsync(settings.Binding, cancellationToken) is { } refreshToken)
                isTold = await client.RevokeAsync(refreshToken, cancellationToken);
        }
        catch (Exception e) when (e is MailException or SignInLostException)
        {
            // It is forgotten here all the same.
        }

        held = null;
        return !await kept.RemoveAsync(CancellationToken.None) ? SignOutOutcome.WasNotIn : isTold ? SignOutOutcome.Revoked : SignOutOutcome.Forgotten;
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
        if (kept is null || place is null)
            throw SignInFirst("this endpoint has no job to keep a sign-in in");
        try
        {
            if (!kept.Exists)
                throw SignInFirst("nobody has signed in yet");
            using var mine = await SignInLock.TakeAsync(place, time, cancellationToken);
            var refreshToken = await kept.ReadAsync(settings.Binding, cancellationToken) ?? throw SignInFirst("nobody has signed in yet");
            if (unsaved is var (spent, replacement) && spent == refreshToken)
                refreshToken = replacement;
            // A disk that is full or read-only is to be known before a token is spent that may be good once only.
            await kept.WriteAsync(settings.Binding, refreshToken, KeyPlace.Best, cancellationToken);
            // From here to the end nothing is to be interrupted: the server may give the next token with its answer, once.
            var token = await client.RefreshAsync(refreshToken, CancellationToken.None);
            if (token.RefreshToken is { } given && given != refreshToken)
            {
                unsaved = (refreshToken, given);
                await kept.WriteAsync(settings.Binding, given, KeyPlace.Best, CancellationToken.None);
            }

            unsaved = null;
            return token;
        }
        catch (SignInLostException e)
        {
            throw SignInFirst($"the sign-in that is kept in {place.File} is of no use: {e.Message}");
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new MailException(FailureScope.Store, isTransient: false, $"{client.What}: the sign-in can't be kept: {FileErrors.Explain(e)}", e);
        }
    }

    private MailException SignInFirst(string why) =>
        new(FailureScope.Store, isTransient: false, $"{client.What}: {why}{SignInRemedy}") { Kind = FailureKind.Authentication };

    private string SignInRemedy => place is null ? "; write the job into a file and sign in with 'imapsync login'" : $"; run '{place.Command}'";

    private string RemedyFor(OAuthFault fault) => fault switch
    {
        OAuthFault.Over or OAuthFault.Denied or OAuthFault.Late when NeedsPerson => SignInRemedy,
        OAuthFault.Over => "; look at 'service_account_file' and 'subject', and whether the service account may act for the domain's users (docs/sign-in.md)",
        OAuthFault.Client => "; look at 'client_id', at the client's secret and its last day, and at what it is registered for (docs/sign-in.md)",
        OAuthFault.Scope => "; look at 'scopes' and at the permissions that the client was given (docs/sign-in.md)",
        _ => "",
    };

    /// <summary>An access token and when it was had.</summary>
    private sealed class HeldToken(IssuedToken token, TimeProvider time)
    {
        /// <summary>So long before its end it is renewed; of a short one, a quarter of its life before.</summary>
        private static readonly TimeSpan Margin = TimeSpan.FromMinutes(5);

        private readonly long since = time.GetTimestamp();
        private readonly DateTimeOffset sinceByClock = time.GetUtcNow();

        public IssuedToken Token => token;

        public Secret Secret { get; } = new(token.AccessToken);

        /// <summary>Neither clock shows its end near: one stands still while a machine sleeps, the other one is set by people.</summary>
        public bool IsGood(TimeProvider now)
        {
            var use = token.Life - (token.Life / 4 < Margin ? token.Life / 4 : Margin);
            return now.GetElapsedTime(since) < use && now.GetUtcNow() - sinceByClock < use;
        }
    }
}

/// <summary>What signing out came to.</summary>
public enum SignOutOutcome
{
    /// <summary>There was no sign-in.</summary>
    WasNotIn,

    /// <summary>Forgotten here; the server was not told.</summary>
    Forgotten,

    /// <summary>Forgotten here, and good for nothing at the server either.</summary>
    Revoked,
}
