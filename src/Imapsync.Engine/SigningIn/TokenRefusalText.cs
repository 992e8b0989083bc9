using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.SigningIn;

/// <summary>Explains why a mail server refused a fresh access token, from the token and the server's response. Pure.</summary>
internal static class TokenRefusalText
{
    /// <param name="token">The token response; null when it is no longer known.</param>
    /// <param name="said">The mail server's response.</param>
    /// <param name="command">The command with which a person signs in; null when no person signs in.</param>
    /// <returns>The explanation, beginning with a semicolon.</returns>
    public static string For(OAuthSettings settings, Secret refused, IssuedToken? token, TokenRefusal? said, string? command)
    {
        var again = command is null ? "" : $", then run '{command}'";
        var words = Words(said);
        if (token?.ClockAhead is { } ahead && ClockSkew.IsFar(ahead))
            return words + ClockSkew.Describe(ahead);
        var claims = TokenClaims.Read(refused.Reveal());
        if (claims.Audiences.Count > 0 && !settings.Provider.Audiences.IsEmpty && !claims.Audiences.Any(a => settings.Provider.Audiences.Contains(a.TrimEnd('/'))))
            return $"{words}; the token is for '{string.Join("', '", claims.Audiences)}' and not for mail ('{settings.Provider.Audiences[0]}'): put the mail server's scopes into 'scopes', or leave it out{again}";
        var granted = token?.Scope is { } scope ? scope.Split(' ') : claims.Scopes;
        var wanted = said?.Status == "insufficient_scope" ? said.Scope ?? "another scope" : null;
        var missing = token?.Scope is null ? null : settings.Scopes.FirstOrDefault(s => s != "offline_access" && !s.EndsWith("/.default", StringComparison.Ordinal) && !granted.Contains(s));
        if (wanted is not null || missing is not null)
            return $"{words}; the token permits '{string.Join(' ', granted)}' and not '{wanted ?? missing}': look at 'scopes' and at the permissions that the client was given{again}";
        return settings.Grant switch
        {
            OAuthGrant.ClientCredentials => $"{words}; the application must be let into the mailbox '{settings.User}' (docs/sign-in.md)",
            OAuthGrant.JwtBearer => $"{words}; '{settings.User}' must be the user that 'subject' names, and IMAP, or POP3 where that is used, be allowed",
            _ => $"{words}; '{settings.User}' must be the mailbox of whoever signed in, and IMAP, or POP3 where that is used, be allowed for it; '{command}' signs in anew",
        };
    }

    /// <summary>Quotes the server's explanation. The text begins with a semicolon; it is empty when the server gave none.</summary>
    public static string Words(TokenRefusal? said)
    {
        if (said is null)
            return "";
        string?[] parts = [said.Status, said.Scope is null ? null : $"scope {said.Scope}", said.Configuration is null ? null : $"see {said.Configuration}"];
        var text = string.Join(", ", parts.OfType<string>());
        return text.Length == 0 ? "" : $"; of the token the server says: {text}";
    }
}
