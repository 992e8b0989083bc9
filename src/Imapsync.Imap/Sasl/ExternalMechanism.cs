using System.Net;
using System.Text;
using MailKit.Security;

namespace Imapsync.Imap.Sasl;

/// <summary>EXTERNAL (RFC 4422 appendix A), which MailKit lacks: the TLS client certificate authenticates the user.</summary>
internal sealed class ExternalMechanism(string? authorizeAs) : SaslMechanism(new NetworkCredential("", ""))
{
    public override string MechanismName => "EXTERNAL";

    public override bool SupportsInitialResponse => true;

    protected override byte[] Challenge(byte[]? token, int startIndex, int length, CancellationToken cancellationToken) =>
        Encoding.UTF8.GetBytes(authorizeAs ?? "");
}
