using System.Net.Sockets;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>What the wire is told of an endpoint, whatever the server speaks.</summary>
internal static class WireOptions
{
    /// <param name="dial">Makes network connections, whatever the endpoint's route is; null: the route counts.</param>
    public static ImapClientOptions Of(ServerEndpoint endpoint, StoreContext context, Func<CancellationToken, ValueTask<Stream>>? dial) =>
        new(endpoint.Host, endpoint.Port, endpoint.Tls switch
        {
            TlsMode.Implicit => ImapTls.Implicit,
            TlsMode.StartTls => ImapTls.StartTls,
            _ => ImapTls.None,
        })
        {
            CaFile = endpoint.TlsCaFile,
            Fingerprint = endpoint.TlsFingerprint,
            ClientCertificateFile = endpoint.TlsClientCertificate,
            ClientKeyFile = endpoint.TlsClientKey,
            ConnectTimeout = endpoint.Timeouts.Connect,
            GreetingTimeout = endpoint.Timeouts.Greeting,
            StallTimeout = endpoint.Timeouts.Stall,
            Time = context.Time,
            Log = context.Log,
            Dial = dial ?? RouteDialer.For(endpoint, context.Time),
            Addresses = endpoint.Route.Addresses switch
            {
                AddressPreference.IPv4Only => AddressFamily.InterNetwork,
                AddressPreference.IPv6Only => AddressFamily.InterNetworkV6,
                _ => AddressFamily.Unspecified,
            },
        };

    /// <summary>The mechanism's SASL name; null where the choice is left to the wire.</summary>
    public static string? MechanismOf(ServerEndpoint endpoint, ImapCapabilities offered) => endpoint.Auth switch
    {
        AuthMechanism.Auto => endpoint.Password is TokenReference ? TokenMechanism(offered) : null,
        AuthMechanism.ScramSha1 => "SCRAM-SHA-1",
        AuthMechanism.ScramSha256 => "SCRAM-SHA-256",
        AuthMechanism.ScramSha512 => "SCRAM-SHA-512",
        AuthMechanism.CramMd5 => "CRAM-MD5",
        AuthMechanism.DigestMd5 => "DIGEST-MD5",
        var other => other.ToString().ToUpperInvariant(),
    };

    /// <summary>RFC 7628's where there is a choice; a server that says of neither is asked by the one that is older.</summary>
    private static string TokenMechanism(ImapCapabilities offered) => offered.AuthMechanisms.Contains("OAUTHBEARER") ? "OAUTHBEARER" : "XOAUTH2";
}
