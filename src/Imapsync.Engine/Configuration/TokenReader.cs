using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;

namespace Imapsync.Engine.Configuration;

/// <summary>Finds out where an endpoint's access tokens are to come from: <c>oauth</c> or <c>token_command</c>.</summary>
/// <param name="isWanted">The job will be run: what the settings point at must be there.</param>
internal sealed class TokenReader(JobReadContext reading, bool isWanted)
{
    private static readonly string[] Keys = ["oauth", "token_command"];

    /// <summary>A token is meant, not a password.</summary>
    public static bool IsGiven(SettingNode section) => Keys.Any(k => section[k] is { } node && !node.IsTakenAway());

    /// <summary>Of a section where it is given; null where something is wrong, which is reported.</summary>
    public TokenReference? Read(SettingNode section, ServerEndpoint endpoint)
    {
        var given = Keys.Where(k => section[k] is { } node && !node.IsTakenAway()).ToList();
        var first = given[0];
        foreach (var other in given.Skip(1).Concat(SecretReader.Keys.Where(k => section[k] is { } node && !node.IsTakenAway())))
            reading.Error(section[other]!.KeyOrigin, $"'{other}' contradicts '{first}' at {section[first]!.KeyOrigin}", "keep one of them");
        if (endpoint.Auth is not (AuthMechanism.Auto or AuthMechanism.XOAuth2 or AuthMechanism.OAuthBearer))
            reading.Error(section.Origin("auth"), $"'auth: {section.Text("auth")}' can't carry the token of '{first}'", "remove 'auth', or write auth: oauthbearer or auth: xoauth2");
        else if (section["authorize_as"] is { } node && !node.IsTakenAway() && endpoint.Auth == AuthMechanism.Auto)
            reading.Error(node.KeyOrigin, $"'authorize_as' has no place beside '{first}'", "write the mailbox as the URL's user: the token says who opens it");
        return first == "oauth"
            ? new OAuthReader(reading, isWanted).Read(section["oauth"]!, endpoint.User, endpoint.Scheme is "pop3s" or "pop3" ? MailProtocol.Pop3 : MailProtocol.Imap)
            : section.Text(first) is { } command ? new CommandToken(new CommandSecret(command, reading.Options.Time, "token")) : null;
    }
}
