using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Imapsync.Imap.Sasl;

/// <summary>CRAM-MD5 (RFC 2195).</summary>
internal sealed class CramMd5Mechanism(string user, string password) : SaslMechanism
{
    public override string Name => "CRAM-MD5";

    public override byte[]? InitialResponse => null;

    [SuppressMessage("Security", "CA5351", Justification = "The mechanism is defined with it; it is chosen only where nothing better is offered.")]
    public override byte[] Next(byte[] challenge)
    {
        var digest = HMACMD5.HashData(Encoding.UTF8.GetBytes(password), challenge);
        return Encoding.UTF8.GetBytes($"{user} {Convert.ToHexStringLower(digest)}");
    }
}
