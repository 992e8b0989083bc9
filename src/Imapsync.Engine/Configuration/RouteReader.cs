using System.Globalization;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Configuration;

/// <summary>Reads the route to a server: <c>proxy</c>, <c>tunnel_command</c>, <c>address_family</c>.</summary>
/// <param name="isWanted">Whether the job will run, so that files and variables named in the settings must exist.</param>
internal sealed class RouteReader(JobReadContext reading, bool isWanted)
{
    private const string Remedy = "write socks5://HOST:PORT or http://HOST:PORT, with USER@ before the host where it wants a log-in";

    public ServerRoute Read(SettingNode section)
    {
        var passwords = new SecretReader(reading, isWanted, "proxy_password", "proxy password");
        var route = new ServerRoute
        {
            Addresses = section.Choice("address_family", ("any", AddressPreference.Any), ("ipv4", AddressPreference.IPv4Only), ("ipv6", AddressPreference.IPv6Only)),
            Proxy = section.Text("proxy") is { } proxy ? ReadProxy(section, proxy, passwords) : null,
            TunnelCommand = section.Text("tunnel_command"),
        };
        if (passwords.FirstKey(section) is { } unused && !Given(section, "proxy"))
            reading.Error(section[unused]!.KeyOrigin, $"'{unused}' has no proxy that it is for", "add 'proxy: socks5://USER@HOST:PORT', or remove it");
        foreach (var key in new[] { "tunnel_command", "address_family" })
        {
            if (Given(section, "proxy") && Given(section, key))
                reading.Error(section[key]!.KeyOrigin, $"'{key}' contradicts 'proxy'", "remove one of them");
        }

        if (route.TunnelCommand is not null && Given(section, "address_family"))
            reading.Error(section["address_family"]!.KeyOrigin, "'address_family' contradicts 'tunnel_command', which connects by itself", "remove one of them");
        return route;
    }

    private ProxyServer? ReadProxy(SettingNode section, string text, SecretReader passwords)
    {
        var origin = section.Origin("proxy");
        // The error does not quote the proxy's address, since it may contain a password.
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("socks5" or "http") || url.Host.Length == 0 || url.PathAndQuery is not ("" or "/") || url.Fragment.Length > 0)
        {
            reading.Error(origin, "this is no proxy's address", Remedy);
            return null;
        }

        if (url.UserInfo.Contains(':', StringComparison.Ordinal))
        {
            reading.Error(origin, "the proxy's address holds a password, which would show up in logs", "take it out and use proxy_password_env, proxy_password_file or proxy_password_command; write a colon of the user's name as %3A");
            return null;
        }

        var protocol = url.Scheme == "http" ? ProxyProtocol.HttpConnect : ProxyProtocol.Socks5;
        var port = text.TrimEnd('/').EndsWith(string.Create(CultureInfo.InvariantCulture, $":{url.Port}"), StringComparison.Ordinal) ? url.Port : protocol == ProxyProtocol.Socks5 ? 1080 : 8080;
        var user = url.UserInfo.Length == 0 ? null : Uri.UnescapeDataString(url.UserInfo);
        var proxy = new ProxyServer(protocol, url.DnsSafeHost, port, user, passwords.Read(section));
        if (user is not null && proxy.Password is null)
            reading.Error(origin, "the proxy's address names a user, and there is no password for it", "add proxy_password_env, proxy_password_file or proxy_password_command");
        if (user is null && passwords.FirstKey(section) is { } unused)
            reading.Error(section[unused]!.KeyOrigin, $"'{unused}' is for nobody: the proxy's address names no user", "write the user into it, USER@ before the host, or remove the password");
        return proxy;
    }

    private static bool Given(SettingNode section, string key) => section[key] is { } node && !node.IsTakenAway();
}
