using System.Globalization;

namespace Imapsync.Engine.Discovery;

/// <summary>Names of hosts and domains, as others give them.</summary>
internal static class HostNames
{
    private const int MaxLength = 253;

    /// <summary>Without the dot at its end, in lower case.</summary>
    public static string Clean(string name) => name.TrimEnd('.').ToLowerInvariant();

    /// <summary>It can stand in a URL: no address, no blank, nothing that a terminal would obey.</summary>
    public static bool IsHost(string name) => name.Length is > 0 and <= MaxLength && Uri.CheckHostName(name) == UriHostNameType.Dns && name.All(char.IsAscii);

    /// <summary>The domain of an address in ASCII; null where it has none.</summary>
    public static string? DomainOf(string address)
    {
        var at = address.LastIndexOf('@');
        if (at <= 0 || address.Any(char.IsControl))
            return null;
        try
        {
            var domain = Clean(new IdnMapping().GetAscii(address[(at + 1)..].TrimEnd('.')));
            return IsHost(domain) ? domain : null;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    public static bool IsWithin(string host, string domain) => host == domain || host.EndsWith("." + domain, StringComparison.Ordinal);
}
