using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>Suggests, in the terms of the job file, a cure for a refused log-in. Pure.</summary>
internal static class LogInRemedy
{
    private static readonly string[] Tokens = ["XOAUTH2", "OAUTHBEARER"];

    /// <summary>Returns a suggestion that begins with a semicolon, or an empty string where there is none.</summary>
    /// <param name="refused">The secret that was refused.</param>
    /// <param name="said">The server's error message about the token; null where it sent none.</param>
    public static string For(ImapCapabilities offered, ServerEndpoint endpoint, Secret refused, TokenRefusal? said)
    {
        if (endpoint.Password is TokenReference tokens)
            return Offers(offered) + tokens.WhyRefused(refused, said);
        var names = offered.AuthMechanisms;
        var asked = endpoint.Auth;
        var takesPassword = !offered.HasLoginDisabled || names.Any(n => !Tokens.Contains(n) && n is not ("GSSAPI" or "EXTERNAL" or "ANONYMOUS"));
        var bearer = names.FirstOrDefault(Tokens.Contains);
        var isToken = asked is AuthMechanism.XOAuth2 or AuthMechanism.OAuthBearer;
        if (isToken)
            return Offers(offered) + "; a token that has expired is refused like a wrong one: 'token_command' gets a fresh one, 'oauth' renews it by itself";
        if (bearer is not null && !takesPassword)
            return Offers(offered) + $"; 'oauth' in place of the password (docs/sign-in.md), or 'token_command'";
        var given = WhatWasGiven(endpoint);
        if (bearer is not null && names.All(Tokens.Contains))
            return Offers(offered) + $"{given}; it may want an app password in place of the usual one, or a token ('oauth', docs/sign-in.md)";
        if (asked == AuthMechanism.Gssapi)
            return Offers(offered) + (names.Contains("GSSAPI") ? "; a ticket opens its own user's mailbox (klist shows whose it is)" : "");
        // If the job file names a mechanism, the client tries no other. So unless that is PLAIN, another mechanism may work and is
        // suggested.
        var other = asked is AuthMechanism.Auto or AuthMechanism.Plain ? "" : names.Contains("PLAIN") ? "; 'auth: plain' may get in" : "; 'auth: auto' takes what is offered";
        return Offers(offered) + other + given + (given.Length > 0 ? "; many providers want an app password in place of the usual one" : "");
    }

    /// <summary>Names the user and the origin of the password, so that the person knows where to look.</summary>
    private static string WhatWasGiven(ServerEndpoint endpoint)
    {
        if (endpoint.Password is not { } password || endpoint.User.Length == 0)
            return "";
        var form = endpoint.User.Contains('@', StringComparison.Ordinal) ? "" : " (some servers want the whole address)";
        var admin = endpoint.AuthorizeAs is { } other ? $", who must be allowed to act for '{other}'" : "";
        return $"; look at the user's name, '{endpoint.User}'{form}{admin}, and at the password ({password})";
    }

    private static string Offers(ImapCapabilities offered)
    {
        var names = offered.AuthMechanisms.Concat(offered.HasLoginDisabled || offered.AuthMechanisms.Contains("LOGIN") ? [] : ["LOGIN"]).ToList();
        return names.Count == 0 ? "; the server offers no way to log in" : $"; the server offers {string.Join(", ", names)}";
    }
}
