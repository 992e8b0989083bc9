using System.Text;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Sasl;

namespace Imapsync.Imap.Commands;

/// <summary>AUTHENTICATE (RFC 9051 §6.2.2), the initial response on the same line where the server takes it (SASL-IR, RFC 4959).</summary>
internal sealed class AuthenticateCommand(SaslMechanism mechanism, bool withInitialResponse) : ImapCommand
{
    public override string Name => "AUTHENTICATE " + mechanism.Name;

    public override CommandClass Class => CommandClass.Alone;

    public override bool CarriesSecret => true;

    /// <summary>Set when the mechanism itself found fault with the server's side of the exchange.</summary>
    public string? Fault { get; private set; }

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        var initial = mechanism.InitialResponse;
        byte[]? challenge;
        writer.Text("AUTHENTICATE " + mechanism.Name);
        if (withInitialResponse && initial is not null)
        {
            challenge = await writer.Text(" ").SecretLineAsync(initial.Length == 0 ? "=" : Convert.ToBase64String(initial));
            initial = null;
        }
        else
        {
            challenge = await writer.ContinuationAsync();
        }

        while (challenge is not null)
        {
            var answer = initial ?? Next(challenge);
            initial = null;
            challenge = await writer.SecretLineAsync(answer is null ? "*" : Convert.ToBase64String(answer));
        }
    }

    /// <summary>Null cancels the exchange (RFC 9051 §6.2.2).</summary>
    private byte[]? Next(byte[] challenge)
    {
        try
        {
            return mechanism.Next(Convert.FromBase64String(Encoding.ASCII.GetString(challenge).Trim()));
        }
        catch (Exception e) when (e is FormatException or SaslException)
        {
            Fault = e.Message;
            return null;
        }
    }
}
