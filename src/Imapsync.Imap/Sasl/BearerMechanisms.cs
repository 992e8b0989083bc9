using System.Text;

namespace Imapsync.Imap.Sasl;

/// <summary>XOAUTH2, Google's and Microsoft's way before RFC 7628.</summary>
internal sealed class XOAuth2Mechanism(string user, string token) : SaslMechanism
{
    public override string Name => "XOAUTH2";

    public override byte[] InitialResponse => Encoding.UTF8.GetBytes($"user={user}\x01auth=Bearer {token}\x01\x01");

    /// <summary>The challenge tells in JSON what is wrong; an empty answer brings the tagged NO.</summary>
    public override byte[] Next(byte[] challenge) => [];
}

/// <summary>OAUTHBEARER (RFC 7628).</summary>
internal sealed class OAuthBearerMechanism(string user, string token, string host, int port) : SaslMechanism
{
    public override string Name => "OAUTHBEARER";

    public override byte[] InitialResponse =>
        Encoding.UTF8.GetBytes($"n,a={ScramSha256Mechanism.Escape(user)},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01");

    /// <summary>RFC 7628 §3.2.3: a lone ^A acknowledges the error and brings the tagged NO.</summary>
    public override byte[] Next(byte[] challenge) => [1];
}
