using System.Collections.Immutable;

namespace Imapsync.Engine.Providers;

/// <summary>How a provider lets a program sign in.</summary>
[Flags]
public enum SignIn
{
    /// <summary>The account's own password.</summary>
    Password = 1,

    /// <summary>A password made for one program in the account's settings.</summary>
    AppPassword = 2,

    /// <summary>OAuth 2, under <see cref="Provider.OAuth"/>.</summary>
    OAuth = 4,
}

/// <summary>The form of the name to sign in with.</summary>
public enum UserForm
{
    /// <summary>The whole address.</summary>
    Address,

    /// <summary>What stands before the @.</summary>
    LocalPart,
}

/// <summary>
/// What is known of a mail provider, or of a kind of mail server. All of it is no more than a default. What is not known for
/// sure is left out.
/// </summary>
/// <param name="Name">The word behind <c>provider:</c>.</param>
/// <param name="Title">For people.</param>
public sealed record Provider(string Name, string Title)
{
    /// <summary>The IMAP host; null for a kind of server that each operator runs at a host of their own.</summary>
    public string? Host { get; init; }

    public int Port { get; init; } = 993;

    /// <summary>TLS begins by STARTTLS; else with the first octet.</summary>
    public bool UsesStartTls { get; init; }

    /// <summary>The server's certificate is self-signed, so <c>tls_fingerprint</c> must pin it.</summary>
    public bool IsSelfSigned { get; init; }

    public SignIn SignIn { get; init; } = SignIn.Password;

    /// <summary>The word behind <c>oauth:</c>; null where it has no OAuth, or none that is known.</summary>
    public string? OAuth { get; init; }

    public UserForm User { get; init; } = UserForm.Address;

    /// <summary>The most connections the provider allows an account; null where the limit is unknown.</summary>
    public int? MaxConnections { get; init; }

    /// <summary>Octets of mail that may be read in a day.</summary>
    public long? BytesReadPerDay { get; init; }

    /// <summary>Octets of mail that may be written in a day.</summary>
    public long? BytesWrittenPerDay { get; init; }

    /// <summary>Folders that hold no mail, as globs.</summary>
    public ImmutableArray<string> LeaveOut { get; init; } = [];

    /// <summary>A message lies in many folders at once; <c>labels: folders</c> where nothing else is said.</summary>
    public bool HasLabels { get; init; }

    /// <summary>What addresses end in, behind the @, if they are its own.</summary>
    public ImmutableArray<string> Domains { get; init; } = [];

    /// <summary>What the names of the hosts end in that take mail (MX) for its customers' own domains.</summary>
    public ImmutableArray<string> Exchangers { get; init; } = [];

    /// <summary>What is peculiar, a sentence each.</summary>
    public ImmutableArray<string> Quirks { get; init; } = [];

    /// <summary>What a person has to do before a program gets in.</summary>
    public string Advice { get; init; } = "";

    /// <summary>The page where the account's owner follows <see cref="Advice"/>, or where the steps are described.</summary>
    public string? Link { get; init; }

    /// <summary>There is no way in but OAuth.</summary>
    public bool NeedsOAuth => SignIn == SignIn.OAuth;

    /// <summary>As in a URL; null without a host.</summary>
    public string? Address => Host is null ? null : $"{(UsesStartTls ? "imap" : "imaps")}://{Host}{(Port == (UsesStartTls ? 143 : 993) ? "" : $":{Port}")}";

    /// <summary>The name that <paramref name="address"/> signs in with.</summary>
    public string UserOf(string address) =>
        User == UserForm.LocalPart && address.LastIndexOf('@') is > 0 and var at ? address[..at] : address;
}
