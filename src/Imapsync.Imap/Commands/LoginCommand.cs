using System.Text;
using Imapsync.Imap.Connection;

namespace Imapsync.Imap.Commands;

/// <summary>LOGIN (RFC 9051 §6.2.3). Quotes, backslashes, blanks and 8-bit octets in user or password are sent as what they are.</summary>
internal sealed class LoginCommand(string user, string password) : ImapCommand
{
    public override string Name => "LOGIN";

    public override CommandClass Class => CommandClass.Alone;

    public override bool CarriesSecret => true;

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        writer.Text("LOGIN ");
        if (!await writer.StringAsync(Octets(user), secret: true))
            return;
        writer.Text(" ");
        await writer.StringAsync(Octets(password), secret: true);
    }

    private static string Octets(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));
}
