using Imapsync.Imap;

namespace Imapsync.Engine.Mail;

/// <summary>
/// The location of a store and the settings for access to it: one <c>source:</c> or <c>target:</c> of a job, validated and complete.
/// </summary>
public abstract record Endpoint
{
    /// <summary>The URL for people, without any secret.</summary>
    public abstract string Display { get; }

    /// <summary>
    /// Identifies the mailbox. Two endpoints of the same mailbox have the same text, whoever logs in and however. For a server it includes
    /// host and port.
    /// </summary>
    public virtual string Identity => Display;

    /// <summary>The directory or file of this machine that holds the mail, absolute; null for a store on a server.</summary>
    public virtual string? Place => null;

    /// <summary>Whether messages are removed from this endpoint, as a source, once they are safely stored at the target.</summary>
    public virtual bool RemovesCopied => false;

    /// <summary>False if the store has no flags (POP3, EML files). The flags of its messages are then unknown, not empty.</summary>
    public virtual bool KnowsFlags => true;

    /// <summary>Whether the store may be one whose messages carry labels (Gmail).</summary>
    public virtual bool MayHaveLabels => false;

    /// <summary>The number of connections that one job may have open to this store; 0 for a store without connections.</summary>
    public virtual int MostConnections => 0;

    /// <summary>
    /// Returns this endpoint with fewer connections, but at least one, because other connections of the account are in use elsewhere.
    /// </summary>
    public virtual Endpoint WithFewer(int connections) => this;

    /// <summary>Whether the store may be one with access rights for other users (RFC 4314).</summary>
    public virtual bool MayHaveAcl => false;

    public TransferLimits Limits { get; init; } = TransferLimits.None;
}

/// <summary>The limits to how much is read from a source or written to a target. Null means no limit.</summary>
public sealed record TransferLimits
{
    public static TransferLimits None { get; } = new();

    public long? BytesPerSecond { get; init; }

    public double? MessagesPerSecond { get; init; }

    /// <summary>The number of octets of messages within 24 hours, over all runs of a job.</summary>
    public long? BytesPerDay { get; init; }
}

public sealed record MaildirEndpoint(string Directory, MaildirLayout Layout = MaildirLayout.MaildirPlusPlus) : Endpoint
{
    public override string Display => "maildir:" + Directory;

    public override string? Place => Directory;
}

public enum MaildirLayout
{
    /// <summary>INBOX is the root, folder A/B is the directory <c>.A.B</c>: the default layout of Dovecot and Courier.</summary>
    MaildirPlusPlus,

    /// <summary>Folder A/B is the directory <c>A/B</c> (Dovecot's LAYOUT=fs).</summary>
    Fs,
}

public sealed record MboxEndpoint(string Directory) : Endpoint
{
    public override string Display => "mbox:" + Directory;

    public override string? Place => Directory;
}

/// <summary>An account on a server: its address, the user and the way to log in.</summary>
/// <param name="User">The name to log in with, as the server expects it.</param>
public abstract record ServerEndpoint(string Host, int Port, TlsMode Tls, string User) : Endpoint
{
    /// <summary>The scheme of its URL, which depends on <see cref="Tls"/>.</summary>
    public abstract string Scheme { get; }

    public SecretReference? Password { get; init; }

    public AuthMechanism Auth { get; init; } = AuthMechanism.Auto;

    /// <summary>The mailbox for which an administrator logs in (SASL authorization identity).</summary>
    public string? AuthorizeAs { get; init; }

    /// <summary>A PEM file with certificate authorities to trust instead of the system's.</summary>
    public string? TlsCaFile { get; init; }

    /// <summary>
    /// The SHA-256 of the server's certificate in hex. If it is set, it is compared and the certificate's chain is not verified.
    /// </summary>
    public string? TlsFingerprint { get; init; }

    /// <summary>A PEM file with the client certificate, for servers that request one.</summary>
    public string? TlsClientCertificate { get; init; }

    /// <summary>A PEM file with the client certificate's key; null where the key is in the certificate's file.</summary>
    public string? TlsClientKey { get; init; }

    public ServerTimeouts Timeouts { get; init; } = new();

    public ServerRoute Route { get; init; } = ServerRoute.Direct;

    /// <summary>The limits on the host that all jobs share; null for no limit.</summary>
    public HostLimits? HostLimits { get; init; }

    /// <summary>The mailbox's user and host, independent of the port by which it is reached.</summary>
    public string Account => $"{AuthorizeAs ?? User}@{Host.ToLowerInvariant()}";

    public bool IsOnThisMachine =>
        Host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (System.Net.IPAddress.TryParse(Host, out var address) && System.Net.IPAddress.IsLoopback(address));

    public override string Identity => $"{Account}:{Port}";

    public override string Display => $"{Scheme}://{User}@{Address}";

    /// <summary>Host and port as in a URL.</summary>
    public string Address => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <param name="User">The name to log in with, as the server expects it.</param>
public sealed record ImapEndpoint(string Host, int Port, TlsMode Tls, string User) : ServerEndpoint(Host, Port, Tls, User)
{
    public override string Scheme => Tls == TlsMode.Implicit ? "imaps" : "imap";

    public override int MostConnections => Connections;

    public override Endpoint WithFewer(int connections) => this with { Connections = Math.Max(1, Connections - connections) };

    public override bool MayHaveLabels => true;

    public override bool MayHaveAcl => true;

    /// <summary>Whether to use COMPRESS=DEFLATE where the server offers it: worth the processor time on slow connections.</summary>
    public bool Compress { get; init; }

    /// <summary>
    /// The default number of connections. It keeps the work going while some connections wait for the server, and even the strictest
    /// servers (Courier) permit it for one client address.
    /// </summary>
    public const int DefaultConnections = 4;

    /// <summary>The maximal number of connections that are open at once.</summary>
    public int Connections { get; init; } = DefaultConnections;
}

/// <summary>How long to wait for a server.</summary>
public sealed record ServerTimeouts
{
    /// <summary>The limit for making a network connection to any of the host's addresses.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// The time limit for the greeting, and for TLS if it comes before the greeting. It starts when the network connection is made.
    /// </summary>
    public TimeSpan Greeting { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The longest time without any octet from the server while a command is in flight.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromMinutes(2);
}

public enum TlsMode
{
    /// <summary>TLS from the first octet (imaps://, pop3s://).</summary>
    Implicit,

    /// <summary>STARTTLS is required (imap://, pop3://).</summary>
    StartTls,

    /// <summary>Clear text, only by an explicit <c>tls: none</c>.</summary>
    None,
}

public enum AuthMechanism
{
    /// <summary>The strongest mechanism that both sides support.</summary>
    Auto,
    Plain,
    Login,
    ScramSha1,
    ScramSha256,
    ScramSha512,
    CramMd5,
    DigestMd5,
    Ntlm,

    /// <summary>Kerberos; needs no password where a ticket exists.</summary>
    Gssapi,
    XOAuth2,
    OAuthBearer,
    Anonymous,

    /// <summary>Authentication by the TLS client certificate.</summary>
    External,
}

/// <summary>
/// Refers to a secret without holding it. The secret is read anew each time it is needed, because a command may return a new token each
/// time.
/// </summary>
public abstract class SecretReference
{
    /// <summary>
    /// Reads the secret. A <see cref="MailException"/> says where the secret was looked for, but never contains any part of it.
    /// </summary>
    public abstract ValueTask<Secret> ReadAsync(CancellationToken cancellationToken);

    /// <summary>The secret's origin, for error texts: <c>environment variable ALICE_PASSWORD</c>.</summary>
    public abstract override string ToString();
}

/// <summary>
/// An access token instead of a password (RFC 6750), for SASL's OAUTHBEARER and XOAUTH2 in any protocol. Many connections may request it at
/// once.
/// </summary>
public abstract class TokenReference : SecretReference
{
    /// <summary>
    /// Returns another token after the server refused one. If another connection has already obtained a new token, that token is returned.
    /// </summary>
    public abstract ValueTask<Secret> RenewAsync(Secret refused, CancellationToken cancellationToken);

    /// <summary>
    /// Explains why the server may refuse this token for good, and suggests a remedy. Begins with a semicolon; contains no part of the
    /// token itself.
    /// </summary>
    /// <param name="said">The server's error message about the token; null where it sent none.</param>
    public abstract string WhyRefused(Secret refused, TokenRefusal? said);
}

/// <summary>A secret that has been read. It is never printed by accident, since its ToString does not reveal it.</summary>
public sealed class Secret(string value)
{
    /// <summary>Returns the secret's text, to be passed to the mail server's client and nowhere else.</summary>
    public string Reveal() => value;

    public override string ToString() => "(secret)";
}
