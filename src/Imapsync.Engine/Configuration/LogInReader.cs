using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads the log-in mechanism of an endpoint.</summary>
internal static class LogInReader
{
    private static readonly (string Word, AuthMechanism Mechanism)[] Words =
    [
        ("auto", AuthMechanism.Auto), ("plain", AuthMechanism.Plain), ("login", AuthMechanism.Login),
        ("scram-sha-1", AuthMechanism.ScramSha1), ("scram-sha-256", AuthMechanism.ScramSha256), ("scram-sha-512", AuthMechanism.ScramSha512),
        ("cram-md5", AuthMechanism.CramMd5), ("digest-md5", AuthMechanism.DigestMd5), ("ntlm", AuthMechanism.Ntlm), ("gssapi", AuthMechanism.Gssapi),
        ("xoauth2", AuthMechanism.XOAuth2), ("oauthbearer", AuthMechanism.OAuthBearer), ("anonymous", AuthMechanism.Anonymous),
        ("external", AuthMechanism.External),
    ];

    public static AuthMechanism ReadMechanism(SettingNode section) => section.Choice("auth", Words);

    /// <summary>
    /// Returns whether the mechanism needs a user name. Other mechanisms take the name from a certificate or ticket, or log in anonymously.
    /// </summary>
    public static bool NeedsUser(AuthMechanism mechanism) => mechanism is not (AuthMechanism.External or AuthMechanism.Gssapi or AuthMechanism.Anonymous);

    public static bool NeedsPassword(AuthMechanism mechanism) => NeedsUser(mechanism);

    /// <summary>
    /// Reports a mechanism that can't transmit <c>authorize_as</c> (the SASL authorization identity). With such a mechanism, the log-in
    /// would open the administrator's own mailbox instead of the requested one.
    /// </summary>
    public static void RefuseLostIdentity(JobReadContext reading, SettingNode section, AuthMechanism mechanism)
    {
        var carriesIt = mechanism is AuthMechanism.Auto or AuthMechanism.Plain or AuthMechanism.DigestMd5 or AuthMechanism.External or AuthMechanism.Gssapi;
        if (!carriesIt && section["authorize_as"] is { } node && !node.IsTakenAway())
        {
            var word = Words.First(w => w.Mechanism == mechanism).Word;
            reading.Error(node.KeyOrigin, $"'auth: {word}' can't carry 'authorize_as'", "write auth: plain (or digest-md5), or remove 'auth' to let it be chosen");
        }
    }
}
