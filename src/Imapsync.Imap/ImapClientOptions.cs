using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Imapsync.Imap;

public enum ImapTls
{
    /// <summary>TLS from the first octet.</summary>
    Implicit,

    /// <summary>STARTTLS or no connection.</summary>
    StartTls,

    /// <summary>Clear text.</summary>
    None,
}

/// <summary>How to reach a server. Nothing here is secret.</summary>
public sealed record ImapClientOptions(string Host, int Port, ImapTls Tls)
{
    /// <summary>For people, as in a URL.</summary>
    public string Address => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";

    /// <summary>PEM file of the authorities to trust in place of the system's.</summary>
    public string? CaFile { get; init; }

    /// <summary>SHA-256 of the server's certificate in hex, colons allowed; pins it in place of chain and name.</summary>
    public string? Fingerprint { get; init; }

    /// <summary>PEM file of the certificate, and those between it and the authority, that says who we are where the server asks.</summary>
    public string? ClientCertificateFile { get; init; }

    /// <summary>PEM file of its key; null where it stands in the certificate's file.</summary>
    public string? ClientKeyFile { get; init; }

    public ImapLimits Limits { get; init; } = ImapLimits.Default;

    /// <summary>How long it may take until one of the host's addresses answers.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long TLS, where it comes first, and the greeting may take together.</summary>
    public TimeSpan GreetingTimeout { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long no octet may move while something is asked for.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Gets the conversation line by line, without literals and credentials.</summary>
    public Action<string>? Trace { get; init; }

    /// <summary>Gets the same with the number of the connection, its server and how long each command took: commands at level Information, the lines at Debug.</summary>
    public ILogger Log { get; init; } = NullLogger.Instance;

    /// <summary>Which of the host's addresses are tried; unspecified: all.</summary>
    public AddressFamily Addresses { get; init; } = AddressFamily.Unspecified;

    /// <summary>The service that SASL mechanisms are told of.</summary>
    internal string Service { get; init; } = "imap";

    /// <summary>Makes the network connection; null for TCP.</summary>
    public Func<CancellationToken, ValueTask<Stream>>? Dial { get; init; }
}

/// <summary>Who logs in. Has no way to print itself.</summary>
/// <param name="Mechanism">A SASL name, LOGIN for the LOGIN command, or null for the strongest that both sides know.</param>
/// <param name="Secret">The password, or the bearer token of XOAUTH2 and OAUTHBEARER.</param>
/// <param name="AuthorizeAs">The mailbox to act for (SASL authorization identity).</param>
public sealed record ImapCredentials(string User, string Secret, string? Mechanism = null, string? AuthorizeAs = null)
{
    public override string ToString() => User;
}
