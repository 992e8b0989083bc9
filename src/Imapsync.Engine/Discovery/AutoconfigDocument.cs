using System.Collections.Immutable;
using System.Globalization;
using System.Xml;

namespace Imapsync.Engine.Discovery;

/// <summary>Reads the <c>config-v1.1.xml</c> format that mail programs use. Pure.</summary>
internal static class AutoconfigDocument
{
    /// <summary>The largest document that is read. Real documents have about 2 KB.</summary>
    public const int MaxBytes = 128 * 1024;

    private const int MaxServers = 16;
    private const int MaxDepth = 16;
    private const int MaxUserLength = 320;

    /// <summary>
    /// Returns the document's IMAP servers with TLS, in document order; none when the document is not well-formed or has a DTD.
    /// </summary>
    /// <param name="address">The mail address that replaces the placeholders.</param>
    public static ImmutableArray<FoundServer> Read(Stream document, string address)
    {
        var servers = ImmutableArray.CreateBuilder<FoundServer>();
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = MaxBytes,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
            IgnoreWhitespace = true,
        };
        try
        {
            using var reader = XmlReader.Create(document, settings);
            while (reader.Read() && servers.Count < MaxServers)
            {
                if (reader.Depth > MaxDepth)
                    return [];
                if (reader is { NodeType: XmlNodeType.Element, LocalName: "incomingServer", IsEmptyElement: false } && reader.GetAttribute("type") == "imap"
                    && ServerOf(ReadFields(reader), address) is { } server)
                    servers.Add(server);
            }
        }
        catch (Exception e) when (e is XmlException or IOException or ArgumentException)
        {
            return [];
        }

        return servers.ToImmutable();
    }

    /// <summary>Returns the texts of the direct child elements by element name. Of repeated elements the first is used.</summary>
    private static Dictionary<string, string> ReadFields(XmlReader reader)
    {
        var fields = new Dictionary<string, string>(StringComparer.Ordinal);
        var depth = reader.Depth;
        var name = "";
        while (reader.Read() && reader.Depth > depth)
        {
            if (reader is { NodeType: XmlNodeType.Element } && reader.Depth == depth + 1)
                name = reader.LocalName;
            else if (reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA && reader.Depth == depth + 2)
                fields.TryAdd(name, reader.Value.Trim());
        }

        return fields;
    }

    private static FoundServer? ServerOf(Dictionary<string, string> fields, string address)
    {
        string Text(string name) => Fill(fields.GetValueOrDefault(name, ""), address);
        var host = HostNames.Clean(Text("hostname"));
        var isTls = fields.GetValueOrDefault("socketType") is "SSL" or "STARTTLS";
        var isPort = int.TryParse(fields.GetValueOrDefault("port"), NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is > 0 and <= 65535;
        var user = Text("username") is { Length: > 0 and <= MaxUserLength } text ? text : address;
        return isTls && isPort && HostNames.IsHost(host) && !user.Any(char.IsControl)
            ? new FoundServer(FoundBy.Autoconfig, host, port, fields["socketType"] == "STARTTLS", user) { IsVouchedFor = true }
            : null;
    }

    private static string Fill(string text, string address)
    {
        var at = address.LastIndexOf('@');
        return text.Replace("%EMAILADDRESS%", address, StringComparison.Ordinal)
            .Replace("%EMAILLOCALPART%", address[..at], StringComparison.Ordinal)
            .Replace("%EMAILDOMAIN%", address[(at + 1)..], StringComparison.Ordinal);
    }
}
