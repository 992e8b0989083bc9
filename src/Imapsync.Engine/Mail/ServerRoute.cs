namespace Imapsync.Engine.Mail;

/// <summary>The network route to a server: the addresses used, and a proxy or command in between.</summary>
public sealed record ServerRoute
{
    public static ServerRoute Direct { get; } = new();

    public AddressPreference Addresses { get; init; }

    /// <summary>The proxy; null for a direct connection.</summary>
    public ProxyServer? Proxy { get; init; }

    /// <summary>
    /// A command for <c>/bin/sh -c</c> whose standard input and output are the connection; null for none. It may contain a secret and is
    /// never shown.
    /// </summary>
    public string? TunnelCommand { get; init; }
}

public enum AddressPreference
{
    /// <summary>All addresses that the host has, in the system's order.</summary>
    Any,
    IPv4Only,
    IPv6Only,
}

public enum ProxyProtocol
{
    /// <summary>SOCKS 5 (RFC 1928, RFC 1929); the proxy resolves the host's name.</summary>
    Socks5,

    /// <summary>HTTP CONNECT (RFC 9110 §9.3.6).</summary>
    HttpConnect,
}

/// <param name="User">The user name for the proxy; null where it needs no log-in.</param>
public sealed record ProxyServer(ProxyProtocol Protocol, string Host, int Port, string? User = null, SecretReference? Password = null)
{
    /// <summary>The proxy's address for people, without any secret.</summary>
    public override string ToString() =>
        $"{(Protocol == ProxyProtocol.Socks5 ? "socks5" : "http")}://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";
}
