using System.Text;
using Imapsync.Imap;
using Imapsync.Imap.Sasl;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Targets for SASL challenges of a hostile server.</summary>
internal static class SaslTargets
{
    private static readonly byte[][] Challenges = FuzzTarget.Texts(
        "r=fyko+d2lbbFgONRv9qkxdawLabc,s=QSXCR+Q6sek8bf92,i=16\nv=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        "r=fyko+d2lbbFgONRv9qkxdawL,s=,i=1\ne=other-error", "<1896.697170952@postoffice.reston.mci.net>", "{\"status\":\"400\",\"schemes\":\"Bearer\"}",
        "realm=\"a\",nonce=\"OA6MG9tEQGm2hh\",qop=\"auth\",charset=utf-8\nrspauth=ea40");

    private static readonly string[] Names =
        ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512", "CRAM-MD5", "DIGEST-MD5", "NTLM", "PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "ANONYMOUS", "EXTERNAL"];

    public static FuzzTarget[] All { get; } =
    [
        new("challenges", Read, Challenges)
        {
            Words = FuzzTarget.Texts("r=", "s=", "i=", "v=", "e=", ",", "=", "\n", "i=0", "i=-1", "i=2147483648", "fyko+d2lbbFgONRv9qkxdawL", "s=QQ==", "\0"),
        },
    ];

    /// <summary>Reads the input's lines, each as one challenge.</summary>
    private static void Read(byte[] octets)
    {
        var options = new ImapClientOptions("mail.example.com", 993, ImapTls.Implicit);
        var exchanges = Names.Select(n => new SaslExchange(SaslMechanisms.Create(n, new ImapCredentials("user", "pencil"), options)!, ImapLimits.Default));
        var lines = Encoding.Latin1.GetString(octets).Split('\n').Take(4).Select(Encoding.Latin1.GetBytes).ToArray();
        foreach (var exchange in exchanges)
        {
            foreach (var challenge in lines)
            {
                try
                {
                    exchange.Next(Convert.ToBase64String(challenge));
                }
                catch (SaslFaultException)
                {
                    // The AUTHENTICATE command handles SaslFaultException by cancelling the exchange, so it is no finding.
                }
            }
        }
    }
}
