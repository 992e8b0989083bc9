using Imapsync.Engine.Discovery;

namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Targets for the documents that a domain publishes about its mail servers.</summary>
internal static class DiscoveryTargets
{
    private const string Sample = """
        <?xml version="1.0" encoding="UTF-8"?>
        <clientConfig version="1.1"><emailProvider id="example.com"><domain>example.com</domain>
        <incomingServer type="imap"><hostname>imap.example.com</hostname><port>993</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer>
        <incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>143</port><socketType>STARTTLS</socketType><username>%EMAILLOCALPART%</username></incomingServer>
        </emailProvider></clientConfig>
        """;

    public static FuzzTarget[] All { get; } =
    [
        new("autoconfig", Autoconfig, FuzzTarget.Texts(Sample))
        {
            Words = FuzzTarget.Texts("<incomingServer type=\"imap\">", "</incomingServer>", "<hostname>", "<port>99999</port>", "<!DOCTYPE x [", "<!ENTITY a \"b\">", "&a;", "&#27;", "<![CDATA[", "]]>", "%EMAILADDRESS%", "xmlns:a=\"b\"", "\0", "plain", "-1"),
            BaseBytes = 4 << 20,
        },
    ];

    /// <summary>Any server found in a document must have a valid host name and port, and a user name that can be displayed.</summary>
    private static void Autoconfig(byte[] octets)
    {
        foreach (var server in AutoconfigDocument.Read(new MemoryStream(octets), "alice@example.com"))
        {
            if (Uri.CheckHostName(server.Host) != UriHostNameType.Dns || server.Port is < 1 or > 65535 || server.User.Length == 0 || server.User.Any(char.IsControl))
                throw new InvalidDataException($"{server} is no server to go to");
        }
    }
}
