using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Mail;
using Imapsync.Engine.SigningIn;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads where an endpoint's access tokens come from: <c>oauth</c> or <c>token_command</c>.</summary>
/// <param name="isWanted">Whether the job will run, so that files and variables named in the settings must exist.</param>
internal sealed class TokenReader(JobReadContext reading, bool isWanted)
{
    private static readonly string[] Keys = ["oauth", "token_command"];

    /// <summary>Returns whether the section specifies an access token instead of a password.</summary>
    public static bool IsGiven(SettingNode section) => Keys.Any(k => section[k] is { } node && !node.IsTakenAway());

    /// <summary>Reads the token settings of a section that has them. Returns null after an error was reported.</summary>
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
