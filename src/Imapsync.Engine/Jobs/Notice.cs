using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Jobs;

/// <summary>A notification about the end of a run: one entry of <c>notify:</c>.</summary>
/// <param name="Origin">
/// Where the entry is written, for example <c>jobs.yaml:3:5</c>. Messages identify the entry only by its origin, since its values may
/// contain a secret.
/// </param>
public sealed record Notice(string Origin, NoticeMeans Means)
{
    public NoticeOccasion On { get; init; } = NoticeOccasion.Failure;

    /// <summary>The time limit for one attempt.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether this notification may be sent without encryption.</summary>
    public bool IsClearText { get; init; }

    /// <summary>A PEM file of the certificate authorities to trust instead of the system's.</summary>
    public string? TlsCaFile { get; init; }
}

public enum NoticeOccasion
{
    /// <summary>When not all mail is at the target.</summary>
    Failure,

    /// <summary>After each run.</summary>
    Always,

    /// <summary>When the run failed and the previous one did not, or the other way round.</summary>
    Change,

    /// <summary>After the first run of each week.</summary>
    Weekly,
}

public abstract record NoticeMeans;

/// <summary>HTTP requests at the start, after success and after failure of a run, as healthchecks.io expects them.</summary>
/// <param name="Url">The URL. It is a secret, since anyone who knows it can send pings.</param>
public sealed record PingMeans(SecretReference Url) : NoticeMeans;

/// <summary>A JSON document sent by POST.</summary>
/// <param name="Url">The URL. It is a secret, since it often contains a token.</param>
public sealed record WebhookMeans(SecretReference Url) : NoticeMeans;

/// <summary>A command that is run by <c>/bin/sh -c</c>.</summary>
public sealed record CommandMeans(string Command) : NoticeMeans;

/// <summary>A mail sent by SMTP.</summary>
/// <param name="User">The user name for the log-in; null for no log-in.</param>
public sealed record MailMeans(string Host, int Port, TlsMode Tls, string? User, SecretReference? Password, string From, ImmutableArray<string> To) : NoticeMeans;
