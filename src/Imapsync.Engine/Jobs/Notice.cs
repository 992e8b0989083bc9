using System.Collections.Immutable;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Jobs;

/// <summary>Somebody or something to be told how a run ended: one entry of <c>notify:</c>.</summary>
/// <param name="Origin">Where it is written, <c>jobs.yaml:3:5</c>: it is spoken of by this alone, since its own words may hold a secret.</param>
public sealed record Notice(string Origin, NoticeMeans Means)
{
    public NoticeOccasion On { get; init; } = NoticeOccasion.Failure;

    /// <summary>For one try.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Clear text is allowed, for this one.</summary>
    public bool IsClearText { get; init; }

    /// <summary>PEM file of the authorities to trust in place of the system's.</summary>
    public string? TlsCaFile { get; init; }
}

public enum NoticeOccasion
{
    /// <summary>Not everything is in place.</summary>
    Failure,

    /// <summary>Each run.</summary>
    Always,

    /// <summary>It failed and the run before did not, or the other way round.</summary>
    Change,

    /// <summary>The first run of a week.</summary>
    Weekly,
}

public abstract record NoticeMeans;

/// <summary>A request when a run begins, when it went well and when it did not, in the manner of healthchecks.io.</summary>
/// <param name="Url">A secret: who knows it can ping.</param>
public sealed record PingMeans(SecretReference Url) : NoticeMeans;

/// <summary>A JSON document by POST.</summary>
/// <param name="Url">A secret, as many have a token in it.</param>
public sealed record WebhookMeans(SecretReference Url) : NoticeMeans;

/// <summary>A command for <c>/bin/sh -c</c>.</summary>
public sealed record CommandMeans(string Command) : NoticeMeans;

/// <summary>A message by SMTP.</summary>
/// <param name="User">To log in with; null for no log-in.</param>
public sealed record MailMeans(string Host, int Port, TlsMode Tls, string? User, SecretReference? Password, string From, ImmutableArray<string> To) : NoticeMeans;
