using Imapsync.Imap;

namespace Imapsync.Engine.Mail;

/// <summary>Where a store is and how to get in: one <c>source:</c> or <c>target:</c> of a job, checked and complete.</summary>
public abstract record Endpoint
{
    /// <summary>For people: the URL without any secret.</summary>
    public abstract string Display { get; }

    /// <summary>Two endpoints with the same are the same mailbox, however it is reached.</summary>
    public virtual string Identity => Display;

    /// <summary>The directory or file of this machine that holds the mail, absolute; null for what lies on a server.</summary>
    public virtual string? Place => null;

    /// <summary>As a source: what is safely in the target is removed from it.</summary>
    public virtual bool RemovesCopied => false;

    /// <summary>False where nothing is known of flags, so that none is a message without any.</summary>
    public virtual bool KnowsFlags => true;

    /// <summary>It may be a store where one message carries labels (Gmail).</summary>
    public virtual bool MayHaveLabels => false;

    /// <summary>Connections that one job may have open here; 0 where there are none.</summary>
    public virtual int MostConnections => 0;

    /// <summary>The same with fewer connections, one at least: others of the account are in use elsewhere.</summary>
    public virtual Endpoint WithFewer(int connections) => this;

    /// <summary>It may be a store with access rights of other people (RFC 4314).</summary>
    public virtual bool MayHaveAcl => false;

    public TransferLimits Limits { get; init; } = TransferLimits.None;
}

/// <summary>How much may be moved out of a source or into a target. Null: as much as there is.</summary>
public sealed record TransferLimits
{
    public static TransferLimits None { get; } = new();

    public long? BytesPerSecond { get; init; }

    public double? MessagesPerSecond { get; init; }

    /// <summary>Octets of messages within 24 hours, over all runs of a job.</summary>
    public long? BytesPerDay { get; init; }
}

public sealed record MaildirEndpoint(string Directory, MaildirLayout Layout = MaildirLayout.MaildirPlusPlus) : Endpoint
{
    public override string Display => "maildir:" + Directory;

    public override string? Place => Directory;
}

public enum MaildirLayout
{
    /// <summary>INBOX is the root, folder A/B the directory <c>.A.B</c>: what Dovecot and Courier serve by default.</summary>
    MaildirPlusPlus,

    /// <summary>Nested directories (Dovecot's LAYOUT=fs).</summary>
    Fs,
}

public sealed record MboxEndpoint(string Directory) : Endpoint
{
    public override string Display => "mbox:" + Directory;

    public override string? Place => Directory;
}

/// <summary>An account on a server: where it is, who logs in and how.</summary>
/// <param name="User">The name to log in with, as the server wants it.</param>
public abstract record ServerEndpoint(string Host, int Port, TlsMode Tls, string User) : Endpoint
{
    /// <summary>The scheme of its URL, for <see cref="Tls"/>.</summary>
    public abstract string Scheme { get; }

    public SecretReference? Password { get; init; }

    public AuthMechanism Auth { get; init; } = AuthMechanism.Auto;

    /// <summary>The mailbox an administrator's log-in acts for (SASL authorization identity).</summary>
    public string? AuthorizeAs { get; init; }

    /// <summary>PEM file of the authorities to trust in place of the system's.</summary>
    public string? TlsCaFile { get; init; }

    /// <summary>SHA-256 of the server's certificate, hex; pins it in place of the chain.</summary>
    public string? TlsFingerprint { get; init; }

    /// <summary>PEM file of the certificate that says who we are where the server asks for one.</summary>
    public string? TlsClientCertificate { get; init; }

    /// <summary>PEM file of its key; null where the key stands in the certificate's file.</summary>
    public string? TlsClientKey { get; init; }

    public ServerTimeouts Timeouts { get; init; } = new();

    public ServerRoute Route { get; init; } = ServerRoute.Direct;

    /// <summary>What all jobs together may claim of the host; null for no limit.</summary>
    public HostLimits? HostLimits { get; init; }

    public override string Identity => $"{AuthorizeAs ?? User}@{Host.ToLowerInvariant()}:{Port}";

    public override string Display => $"{Scheme}://{User}@{Address}";

    /// <summary>Host and port as in a URL.</summary>
    public string Address => Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <param name="User">The name to log in with, as the server wants it.</param>
public sealed record ImapEndpoint(string Host, int Port, TlsMode Tls, string User) : ServerEndpoint(Host, Port, Tls, User)
{
    public override string Scheme => Tls == TlsMode.Implicit ? "imaps" : "imap";

    public override int MostConnections => Connections;

    public override Endpoint WithFewer(int connections) => this with { Connections = Math.Max(1, Connections - connections) };

    public override bool MayHaveLabels => true;

    public override bool MayHaveAcl => true;

    /// <summary>COMPRESS=DEFLATE where the server offers it: worth its work on thin lines.</summary>
    public bool Compress { get; init; }

    /// <summary>Enough to hide round trips from one another, and what the strictest servers (Courier) give to one address.</summary>
    public const int DefaultConnections = 4;

    /// <summary>Most connections to open at once.</summary>
    public int Connections { get; init; } = DefaultConnections;
}

/// <summary>How long to wait for a server.</summary>
public sealed record ServerTimeouts
{
    /// <summary>For a network connection to any of the host's addresses.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For TLS, where it comes first, and the greeting, once connected.</summary>
    public TimeSpan Greeting { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>For the next octet while something is asked for.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromMinutes(2);
}

public enum TlsMode
{
    /// <summary>TLS from the first octet (imaps://, pop3s://).</summary>
    Implicit,

    /// <summary>STARTTLS or nothing (imap://, pop3://).</summary>
    StartTls,

    /// <summary>Clear text, only by an explicit <c>tls: none</c>.</summary>
    None,
}

public enum AuthMechanism
{
    /// <summary>The strongest that both sides know.</summary>
    Auto,
    Plain,
    Login,
    ScramSha1,
    ScramSha256,
    ScramSha512,
    CramMd5,
    DigestMd5,
    Ntlm,

    /// <summary>Kerberos; without a password, by the ticket that is there.</summary>
    Gssapi,
    XOAuth2,
    OAuthBearer,
    Anonymous,

    /// <summary>The TLS client certificate.</summary>
    External,
}

/// <summary>Where a secret is to be found; read as late as possible, as often as needed (a command may give a new token each time).</summary>
public abstract class SecretReference
{
    /// <summary>Throws a <see cref="MailException"/> that says where it looked, never what it found.</summary>
    public abstract ValueTask<Secret> ReadAsync(CancellationToken cancellationToken);

    /// <summary>Where it comes from, for error texts: <c>environment variable ALICE_PASSWORD</c>.</summary>
    public abstract override string ToString();
}

/// <summary>An access token in place of a password (RFC 6750), for SASL's OAUTHBEARER and XOAUTH2 whatever the protocol. Many connections may ask at once.</summary>
public abstract class TokenReference : SecretReference
{
    /// <summary>Another token in place of one that the server refused: the one that was had meanwhile, or a new one.</summary>
    public abstract ValueTask<Secret> RenewAsync(Secret refused, CancellationToken cancellationToken);

    /// <summary>Why the server may refuse this token for good, and what to do about it. Begins with a semicolon; holds nothing of the token itself.</summary>
    /// <param name="said">What the server said of it; null where it said nothing.</param>
    public abstract string WhyRefused(Secret refused, TokenRefusal? said);
}

/// <summary>A secret in hand. It has no way to print itself.</summary>
public sealed class Secret(string value)
{
    /// <summary>To be handed to the wire and nowhere else.</summary>
    public string Reveal() => value;

    public override string ToString() => "(secret)";
}
