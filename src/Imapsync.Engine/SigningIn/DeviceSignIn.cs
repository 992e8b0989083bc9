using Imapsync.Engine.Mail;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// The device authorization grant (RFC 8628): a person enters a code in any browser while the program polls the server until the sign-in is
/// complete.
/// </summary>
internal static class DeviceSignIn
{
    /// <summary>
    /// The polling interval where the server names none (RFC 8628 §3.2), and the addition for each <c>slow_down</c> (§3.5).
    /// </summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestInterval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan DefaultLife = TimeSpan.FromMinutes(15);

    /// <summary>
    /// The longest code lifetime that is honoured, however long a server allows. Longer waits are pointless and could overflow a timer.
    /// </summary>
    private static readonly TimeSpan LongestLife = TimeSpan.FromDays(1);

    /// <exception cref="MailException">The sign-in was denied, or the code has expired.</exception>
    public static async Task<IssuedToken> RunAsync(OAuthClient client, SignInDialogue dialogue, TimeProvider time, CancellationToken cancellationToken)
    {
        var offer = await client.BeginDeviceAsync(cancellationToken);
        // Google names this field verification_url.
        var address = offer.VerificationUri ?? offer.TryGet("verification_url");
        if (address is null || !OAuthEndpoints.IsSafe(address))
            throw new MailException(FailureScope.Store, isTransient: false, $"{client.What}: its answer names no address to go to") { Kind = FailureKind.Authentication };
        dialogue.Tell($"To sign in as {client.Settings.User}, open this address in any browser: {address}");
        dialogue.Tell($"and enter this code: {offer.UserCode}");
        dialogue.OpenBrowser?.Invoke(new Uri(offer.VerificationUriComplete is { } whole && OAuthEndpoints.IsSafe(whole) ? whole : address));
        var life = offer.ExpiresIn is > 0 and { } seconds ? Shorter(TimeSpan.FromSeconds(seconds), LongestLife) : DefaultLife;
        var interval = offer.Interval > 0 ? Shorter(TimeSpan.FromSeconds(offer.Interval), life) : Interval;
        return await WaitAsync(client, offer.DeviceCode!, interval, life, time, cancellationToken);
    }

    private static async Task<IssuedToken> WaitAsync(
        OAuthClient client, string deviceCode, TimeSpan interval, TimeSpan life, TimeProvider time, CancellationToken cancellationToken)
    {
        var begin = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(interval, time, cancellationToken);
            try
            {
                var answer = await client.AskDeviceAsync(deviceCode, cancellationToken);
                switch (OAuthFailure.CodeOf(answer))
                {
                    case "authorization_pending":
                        break;
                    case "slow_down":
                        interval += Interval;
                        break;
                    default:
                        return client.Issued(answer, deviceCode);
                }
            }
            catch (MailException e) when (e.IsTransient && time.GetElapsedTime(begin) < life)
            {
                // The request got no answer, so the next requests are sent less often (RFC 8628 §3.5).
                interval = interval < LongestInterval ? Shorter(interval * 2, LongestInterval) : interval;
            }

            if (time.GetElapsedTime(begin) > life)
                throw new MailException(FailureScope.Store, isTransient: false, $"{client.What}: nobody signed in while the code was good{client.Remedies(OAuthFault.Late)}") { Kind = FailureKind.Authentication };
        }
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
