using System.Collections.Immutable;
using Imapsync.Engine.Providers;

namespace Imapsync.Engine.Discovery;

/// <summary>How the mail server for an address was found.</summary>
public enum FoundBy
{
    /// <summary>The address is in a domain that the program's provider table lists.</summary>
    Table,

    /// <summary>SRV records of the domain (RFC 6186).</summary>
    ServiceRecord,

    /// <summary>The autoconfig document that the domain publishes.</summary>
    Autoconfig,

    /// <summary>The domain's mail is delivered to a known provider (MX).</summary>
    Exchanger,

    /// <summary>A common host name in the domain was guessed.</summary>
    Guess,
}

/// <summary>A candidate for the IMAP server of an address.</summary>
/// <param name="Host">The host name in ASCII, without a trailing dot.</param>
/// <param name="User">The name to sign in with.</param>
public sealed record FoundServer(FoundBy By, string Host, int Port, bool UsesStartTls, string User)
{
    /// <summary>The known provider that runs this host; null for any other host.</summary>
    public Provider? Provider { get; init; }

    /// <summary>
    /// Whether a trustworthy source named the server: its host is in the address's domain, belongs to a known provider, or is named in a
    /// document fetched from the domain over verified TLS. Otherwise a person must agree before a password is sent. Forged DNS records can
    /// name an attacker's host, even one with a valid certificate (RFC 6186 §6).
    /// </summary>
    public bool IsVouchedFor { get; init; }

    /// <summary>The server's URL, for example <c>imaps://imap.example.com</c>.</summary>
    public string Address => $"{(UsesStartTls ? "imap" : "imaps")}://{Host}{(Port == (UsesStartTls ? 143 : 993) ? "" : $":{Port}")}";
}

/// <summary>The result of a discovery.</summary>
/// <param name="Server">The best server with a valid certificate; null when none was found.</param>
/// <param name="Tried">The sources and servers tried, with their results, one line of text each.</param>
public sealed record DiscoveryOutcome(FoundServer? Server, ImmutableArray<string> Tried);
