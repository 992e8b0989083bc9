using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Imapsync.Imap;

public enum ImapTls
{
    /// <summary>TLS from the first octet of the connection.</summary>
    Implicit,

    /// <summary>STARTTLS; the connection fails if the server refuses it.</summary>
    StartTls,

    /// <summary>No TLS: everything is sent in clear text.</summary>
    None,
}

/// <summary>How to reach a server. Contains no secrets.</summary>
public sealed record ImapClientOptions(string Host, int Port, ImapTls Tls)
{
    /// <summary>Host and port for display, in the form used in URLs.</summary>
    public string Address => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>A PEM file of authorities to trust instead of the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>The SHA-256 of the server's certificate in hex, colons allowed. It pins the certificate, so chain and name are not checked.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>A PEM file with the client certificate and its intermediate certificates, presented if the server asks for one.</summary>
    public string? ClientCertificateFile { get; init; }

    /// <summary>A PEM file with the client certificate's key; null if the key is in the certificate's file.</summary>
    public string? ClientKeyFile { get; init; }

    public ImapLimits Limits { get; init; } = ImapLimits.Default;

    /// <summary>How long to wait for any of the host's addresses to answer.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the TLS handshake (for implicit TLS) and the greeting may take together.</summary>
    public TimeSpan GreetingTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long no octet may move while a command is in flight, before the connection is given up.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Receives the conversation line by line, without literals and credentials.</summary>
    public Action<string>? Trace { get; init; }

    /// <summary>
    /// Receives the conversation, with the connection's number, the server and each command's duration. Commands are logged at
    /// level Information, lines at Debug.
    /// </summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>The address family to connect to; unspecified means both.</summary>
    public AddressFamily Addresses { get; init; } = AddressFamily.Unspecified;

    /// <summary>The service name given to SASL mechanisms.</summary>
    internal string Service { get; init; } = "imap";

    /// <summary>Opens the network connection; null to connect to <see cref="Host"/> and <see cref="Port"/> by TCP.</summary>
    public Func<CancellationToken, ValueTask<Stream>>? Dial { get; init; }
}

/// <summary>The credentials to log in with. The secret never appears in the string representation.</summary>
/// <param name="Secret">The password, or the bearer token of XOAUTH2 and OAUTHBEARER.</param>
/// <param name="Mechanism">A SASL name; LOGIN for the LOGIN command; null for the strongest mechanism of both sides.</param>
/// <param name="AuthorizeAs">
/// The user whose mailbox is opened (SASL authorization identity); null or empty for <paramref name="User"/>.
/// </param>
public sealed record ImapCredentials(string User, string Secret, string? Mechanism = null, string? AuthorizeAs = null)
{
    public override string ToString() => User;
}
