using System.Text;

namespace Imapsync.Imap.Sasl;

/// <summary>EXTERNAL (RFC 4422 appendix A): the TLS client certificate says who we are.</summary>
internal sealed class ExternalMechanism(string? authorizeAs) : SaslMechanism
{
    public override string Name => "EXTERNAL";

    public override byte[] InitialResponse => Encoding.UTF8.GetBytes(authorizeAs ?? "");
}
