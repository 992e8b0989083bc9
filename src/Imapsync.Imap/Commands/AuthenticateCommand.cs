using System.Text;
using Imapsync.Imap.Connection;
using Imapsync.Imap.Sasl;

namespace Imapsync.Imap.Commands;

/// <summary>AUTHENTICATE (RFC 9051 §6.2.2), the initial response on the same line where the server takes it (SASL-IR, RFC 4959).</summary>
internal sealed class AuthenticateCommand(SaslExchange exchange, bool withInitialResponse) : ImapCommand
{
    public override string Name => "AUTHENTICATE " + exchange.Name;

    public override CommandClass Class => CommandClass.Alone;

    public override bool CarriesSecret => true;

    /// <summary>Set when the mechanism itself found fault with the server's side of the exchange.</summary>
    public string? Fault { get; private set; }

    public override async ValueTask EncodeAsync(CommandWriter writer)
    {
        var initial = exchange.InitialResponse;
        byte[]? challenge;
        writer.Text("AUTHENTICATE " + exchange.Name);
        if (withInitialResponse && initial is not null)
        {
            challenge = await writer.Text(" ").SecretLineAsync(initial.Length == 0 ? "=" : initial);
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
            challenge = await writer.SecretLineAsync(answer ?? "*");
        }
    }

    /// <summary>Null cancels the exchange (RFC 9051 §6.2.2).</summary>
    private string? Next(byte[] challenge)
    {
        try
        {
            return exchange.Next(Encoding.ASCII.GetString(challenge));
        }
        catch (SaslFaultException e)
        {
            Fault = e.Message;
            return null;
        }
    }
}
