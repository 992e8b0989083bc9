using System.Collections.Immutable;

namespace Imapsync.Engine.Providers;

/// <summary>How a provider lets a program sign in.</summary>
[Flags]
public enum SignIn
{
    /// <summary>The account's own password.</summary>
    Password = 1,

    /// <summary>An app password: one created for a single program in the account's settings.</summary>
    AppPassword = 2,

    /// <summary>OAuth 2 with the provider named by <see cref="Provider.OAuth"/>.</summary>
    OAuth = 4,
}

/// <summary>The form of the user name for signing in.</summary>
public enum UserForm
{
    /// <summary>The whole mail address.</summary>
    Address,

    /// <summary>The part of the address before the @.</summary>
    LocalPart,
}

/// <summary>
/// The known properties of a mail provider, or of a kind of mail server that many operators run. They serve only as defaults; uncertain
/// facts are left out.
/// </summary>
/// <param name="Name">The value of <c>provider:</c> in a job file.</param>
/// <param name="Title">The name for display.</param>
public sealed record Provider(string Name, string Title)
{
    /// <summary>The IMAP host; null for a kind of server that each operator runs at a host of their own.</summary>
    public string? Host { get; init; }

    public int Port { get; init; } = 993;

    /// <summary>Whether TLS is started with STARTTLS instead of at the first octet.</summary>
    public bool UsesStartTls { get; init; }

    /// <summary>The server's certificate is self-signed, so <c>tls_fingerprint</c> must pin it.</summary>
    public bool IsSelfSigned { get; init; }

    public SignIn SignIn { get; init; } = SignIn.Password;

    /// <summary>The value of <c>oauth:</c> in a job file; null when the provider has no OAuth or it is unknown.</summary>
    public string? OAuth { get; init; }

    public UserForm User { get; init; } = UserForm.Address;

    /// <summary>The most connections the provider allows an account; null where the limit is unknown.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>The number of octets of mail that an account may read per day; null when unknown.</summary>
    public long? BytesReadPerDay { get; init; }

    /// <summary>The number of octets of mail that an account may write per day; null when unknown.</summary>
    public long? BytesWrittenPerDay { get; init; }

    /// <summary>Globs for folders that contain no mail and are excluded by default.</summary>
    public ImmutableArray<string> LeaveOut { get; init; } = [];

    /// <summary>Whether the provider uses labels, so one message can be in many folders. The default is then <c>labels: folders</c>.</summary>
    public bool HasLabels { get; init; }

    /// <summary>The provider's own mail domains: the part of an address after the @.</summary>
    public ImmutableArray<string> Domains { get; init; } = [];

    /// <summary>Suffixes of the provider's MX host names, which receive mail for customers' own domains.</summary>
    public ImmutableArray<string> Exchangers { get; init; } = [];

    /// <summary>Peculiarities of the provider, one sentence each.</summary>
    public ImmutableArray<string> Quirks { get; init; } = [];

    /// <summary>The steps a person has to take before a program can sign in.</summary>
    public string Advice { get; init; } = "";

    /// <summary>The page where the account's owner follows <see cref="Advice"/>, or where the steps are described.</summary>
    public string? Link { get; init; }

    /// <summary>Whether OAuth is the only way to sign in.</summary>
    public bool NeedsOAuth => SignIn == SignIn.OAuth;

    /// <summary>The server's URL; null when there is no host.</summary>
    public string? Address => Host is null ? null : $"{(UsesStartTls ? "imap" : "imaps")}://{Host}{(Port == (UsesStartTls ? 143 : 993) ? "" : $":{Port}")}";

    /// <summary>Returns the user name that <paramref name="address"/> signs in with.</summary>
    public string UserOf(string address) =>
        User == UserForm.LocalPart && address.LastIndexOf('@') is > 0 and var at ? address[..at] : address;
}
