using System.Collections.Immutable;

namespace Imapsync.Engine.Providers;

/// <summary>
/// The known providers, one row each. A fact about a provider is in its row only if it is known for certain. <c>imapsync providers</c>
/// prints the rows, and a test checks their form.
/// </summary>
public static partial class ProviderTable
{
    private const long MB = 1_000_000;

    private const string AllowImap = "IMAP has to be allowed in the settings of the mailbox first.";
    private const string TwoFactor = "With two-factor sign-in an app password is needed.";

    public static ImmutableArray<Provider> All { get; } = [.. Big, .. Hosters, .. Servers];

    /// <summary>The possible values of <c>provider:</c>, in the order of the table.</summary>
    public static ImmutableArray<string> Names { get; } = [.. All.Select(p => p.Name)];

    /// <summary>Returns the provider with this name; null for an unknown name.</summary>
    public static Provider? Find(string name) => All.FirstOrDefault(p => p.Name == name);

    /// <summary>Returns the provider that owns a mail domain.</summary>
    /// <param name="domain">The part of an address after the @.</param>
    public static Provider? OfDomain(string domain) => ByEnding(domain, p => p.Domains, isWhole: true);

    /// <summary>Returns the provider that receives a domain's mail.</summary>
    /// <param name="host">The host name from an MX record.</param>
    public static Provider? OfExchanger(string host) => ByEnding(host.TrimEnd('.'), p => p.Exchangers, isWhole: false);

    /// <summary>
    /// Finds the provider with the longest matching suffix: <c>olc.protection.outlook.com</c> takes precedence over
    /// <c>protection.outlook.com</c>.
    /// </summary>
    private static Provider? ByEnding(string name, Func<Provider, ImmutableArray<string>> endings, bool isWhole) => All
        .SelectMany(p => endings(p).Select(e => (Provider: p, Ending: e)))
        .Where(c => name.Equals(c.Ending, StringComparison.OrdinalIgnoreCase) || (!isWhole && name.EndsWith("." + c.Ending, StringComparison.OrdinalIgnoreCase)))
        .OrderByDescending(c => c.Ending.Length)
        .Select(c => c.Provider)
        .FirstOrDefault();
}
