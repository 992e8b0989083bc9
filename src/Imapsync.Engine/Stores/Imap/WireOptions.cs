using System.Net.Sockets;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>Makes the client's options from an endpoint, for IMAP and POP3 alike.</summary>
internal static class WireOptions
{
    /// <param name="dial">
    /// Makes the network connections. If null, they are made as the endpoint demands: by TCP, through its proxy, or through its tunnel
    /// command.
    /// </param>
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

    /// <summary>Returns the SASL name of the mechanism; null where the client is to choose.</summary>
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

    /// <summary>Prefers OAUTHBEARER (RFC 7628); a server that announces neither token mechanism is tried with the older XOAUTH2.</summary>
    private static string TokenMechanism(ImapCapabilities offered) => offered.AuthMechanisms.Contains("OAUTHBEARER") ? "OAUTHBEARER" : "XOAUTH2";
}
