using System.Globalization;

namespace Imapsync.Engine.Discovery;

/// <summary>Normalizes and checks host and domain names from untrusted sources.</summary>
internal static class HostNames
{
    private const int MaxLength = 253;

    /// <summary>Returns the name in lower case, without a trailing dot.</summary>
    public static string Clean(string name) => name.TrimEnd('.').ToLowerInvariant();

    /// <summary>
    /// Returns whether the name is a DNS name in ASCII that can be put into a URL: not an IP address, no blanks, no terminal control
    /// characters.
    /// </summary>
    public static bool IsHost(string name) => name.Length is > 0 and <= MaxLength && Uri.CheckHostName(name) == UriHostNameType.Dns && name.All(char.IsAscii);

    /// <summary>Returns the domain of a mail address in ASCII; null when the address has no valid domain.</summary>
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
