using System.Text;
using Imapsync.Imap.Sasl;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Challenges of a server that wants more than a password.</summary>
internal static class SaslTargets
{
    private static readonly byte[][] Challenges = FuzzTarget.Texts(
        "r=fyko+d2lbbFgONRv9qkxdawLabc,s=QSXCR+Q6sek8bf92,i=16\nv=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        "r=fyko+d2lbbFgONRv9qkxdawL,s=,i=1\ne=other-error", "<1896.697170952@postoffice.reston.mci.net>", "{\"status\":\"400\",\"schemes\":\"Bearer\"}");

    public static FuzzTarget[] All { get; } =
    [
        new("challenges", Read, Challenges)
        {
            Words = FuzzTarget.Texts("r=", "s=", "i=", "v=", "e=", ",", "=", "\n", "i=0", "i=-1", "i=2147483648", "fyko+d2lbbFgONRv9qkxdawL", "s=QQ==", "\0"),
        },
    ];

    /// <summary>A line a challenge.</summary>
    private static void Read(byte[] octets)
    {
        SaslMechanism[] mechanisms =
        [
            new ScramSha256Mechanism(null, "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL"), new CramMd5Mechanism("user", "pencil"), new PlainMechanism(null, "user", "pencil"),
            new ExternalMechanism("other"), new XOAuth2Mechanism("user", "token"), new OAuthBearerMechanism("user", "token", "mail.example.com", 993),
        ];
        var lines = Encoding.Latin1.GetString(octets).Split('\n').Take(4).Select(Encoding.Latin1.GetBytes).ToArray();
        foreach (var mechanism in mechanisms)
        {
            foreach (var challenge in lines)
            {
                try
                {
                    Assert.DoesNotContain("pencil", Encoding.UTF8.GetString(mechanism.Next(challenge) ?? []), StringComparison.Ordinal);
                }
                catch (Exception e) when (e is SaslException or FormatException)
                {
                    // What AUTHENTICATE answers with a cancellation.
                }
            }
        }
    }
}
