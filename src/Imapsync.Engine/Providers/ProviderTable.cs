using System.Collections.Immutable;

namespace Imapsync.Engine.Providers;

/// <summary>
/// The providers that are known, a row each. A row says what is sure and leaves out the rest; <c>imapsync providers</c> shows it,
/// a test holds its form.
/// </summary>
public static partial class ProviderTable
{
    private const long MB = 1_000_000;

    private const string AllowImap = "IMAP has to be allowed in the settings of the mailbox first.";
    private const string TwoFactor = "With two-factor sign-in an app password is needed.";

    public static ImmutableArray<Provider> All { get; } = [.. Big, .. Hosters, .. Servers];

    /// <summary>The words behind <c>provider:</c>, in the table's order.</summary>
    public static ImmutableArray<string> Names { get; } = [.. All.Select(p => p.Name)];

    /// <summary>Null for a word that is none.</summary>
    public static Provider? Find(string name) => All.FirstOrDefault(p => p.Name == name);

    /// <param name="domain">What stands behind the @ of an address.</param>
    public static Provider? OfDomain(string domain) => ByEnding(domain, p => p.Domains, isWhole: true);

    /// <summary>The provider that a domain's mail is delivered to.</summary>
    /// <param name="host">The name in an MX record.</param>
    public static Provider? OfExchanger(string host) => ByEnding(host.TrimEnd('.'), p => p.Exchangers, isWhole: false);

    /// <summary>The longest ending that fits wins: <c>olc.protection.outlook.com</c> before <c>protection.outlook.com</c>.</summary>
    private static Provider? ByEnding(string name, Func<Provider, ImmutableArray<string>> endings, bool isWhole) => All
        .SelectMany(p => endings(p).Select(e => (Provider: p, Ending: e)))
        .Where(c => name.Equals(c.Ending, StringComparison.OrdinalIgnoreCase) || (!isWhole && name.EndsWith("." + c.Ending, StringComparison.OrdinalIgnoreCase)))
        .OrderByDescending(c => c.Ending.Length)
        .Select(c => c.Provider)
        .FirstOrDefault();
}
