using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.SigningIn;

/// <summary>Gets access tokens from another program, which is run anew for each log-in.</summary>
/// <param name="command">The command that prints an access token.</param>
internal sealed class CommandToken(SecretReference command) : TokenReference
{
    public override ValueTask<Secret> ReadAsync(CancellationToken cancellationToken) => command.ReadAsync(cancellationToken);

    public override ValueTask<Secret> RenewAsync(Secret refused, CancellationToken cancellationToken) => command.ReadAsync(cancellationToken);

    public override string WhyRefused(Secret refused, TokenRefusal? said)
    {
        var claims = TokenClaims.Read(refused.Reveal());
        var audience = claims.Audiences.Count == 0 ? "" : $" (it is for '{string.Join("', '", claims.Audiences)}')";
        return $"{TokenRefusalText.Words(said)}; look at what the {command} prints{audience}: it must be a fresh access token for this mailbox";
    }

    public override string ToString() => command.ToString();
}
