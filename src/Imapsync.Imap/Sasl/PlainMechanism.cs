using System.Text;

namespace Imapsync.Imap.Sasl;

/// <summary>PLAIN (RFC 4616): authorization identity, user, password.</summary>
internal sealed class PlainMechanism(string? authorizeAs, string user, string password) : SaslMechanism
{
    public override string Name => "PLAIN";

    public override byte[] InitialResponse => Encoding.UTF8.GetBytes($"{authorizeAs}\0{user}\0{password}");
}
