using System.Collections.Immutable;
using Imapsync.Engine.Providers;

namespace Imapsync.Engine.Discovery;

/// <summary>How the server of an address became known.</summary>
public enum FoundBy
{
    /// <summary>The address is one of a known provider's own.</summary>
    Table,

    /// <summary>SRV records of the domain (RFC 6186).</summary>
    ServiceRecord,

    /// <summary>The autoconfig document that the domain publishes.</summary>
    Autoconfig,

    /// <summary>The domain's mail is delivered to a known provider (MX).</summary>
    Exchanger,

    /// <summary>A usual name in the domain.</summary>
    Guess,
}

/// <summary>An IMAP server that is said to hold an address's mail.</summary>
/// <param name="Host">In ASCII, without a dot at its end.</param>
/// <param name="User">The name to sign in with.</param>
public sealed record FoundServer(FoundBy By, string Host, int Port, bool UsesStartTls, string User)
{
    /// <summary>The provider whose host it is; null for any other.</summary>
    public Provider? Provider { get; init; }

    /// <summary>
    /// Somebody who may speak for the domain named it: it lies in the domain, is a known provider's, or stands in a document that came
    /// from the domain over verified TLS. What DNS alone said of a host elsewhere may be a forger's, whose certificate is as good as
    /// anybody's (RFC 6186 §6): a person has to agree before a password goes there.
    /// </summary>
    public bool IsVouchedFor { get; init; }

    /// <summary>As in a URL: <c>imaps://imap.example.com</c>.</summary>
    public string Address => $"{(UsesStartTls ? "imap" : "imaps")}://{Host}{(Port == (UsesStartTls ? 143 : 993) ? "" : $":{Port}")}";
}

/// <param name="Server">The best one that showed a good certificate; null where there is none.</param>
/// <param name="Tried">What was looked at and what came of it, a line each for people.</param>
public sealed record DiscoveryOutcome(FoundServer? Server, ImmutableArray<string> Tried);
