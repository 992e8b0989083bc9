using Imapsync.Imap;

namespace Imapsync.Engine.Mail;

/// <summary>How far a failure reaches, and so how much has to be repeated or given up.</summary>
public enum FailureScope
{
    /// <summary>Only this message.</summary>
    Message,

    /// <summary>This folder: its connection is broken or it can't be opened.</summary>
    Folder,

    /// <summary>The whole store: log-in, TLS, quota, host.</summary>
    Store,
}

/// <summary>The kinds of failure that exit status and report distinguish.</summary>
public enum FailureKind
{
    Other,

    /// <summary>No connection can be made: name, network, TLS, greeting.</summary>
    Connect,

    /// <summary>The store refuses the user.</summary>
    Authentication,

    /// <summary>Something that the job's settings refer to is missing, such as a password.</summary>
    Configuration,

    /// <summary>The target is full.</summary>
    Quota,

    /// <summary>The message or folder does not exist, or no longer exists.</summary>
    Gone,

    /// <summary>
    /// A limit on the amount of mail transferred, the job's own or the server's daily one, forbids the operation for now.
    /// </summary>
    Limit,

    /// <summary>The store does not work for now; a later attempt may succeed.</summary>
    Unavailable,
}

/// <summary>
/// A store could not do what was requested. The store that failed decides scope and transience, so that the code that catches the exception need
/// not guess. The text is for people, names the thing that failed and never contains a secret.
/// </summary>
public sealed class MailException(FailureScope scope, bool isTransient, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public FailureScope Scope { get; } = scope;

    /// <summary>Whether the same request may succeed later.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>How long the server asked the client to wait, where it said so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public FailureKind Kind { get; init; }

    /// <summary>
    /// True if the message was not even sent, because the server had refused many messages in a row before it. Another attempt makes sense
    /// only after the server has accepted some message.
    /// </summary>
    public bool IsPassedOver { get; init; }

    /// <summary>
    /// The messages for which the request was refused, if it was carried out for all other messages; null if it is unknown for which
    /// messages it was carried out.
    /// </summary>
    public UidSet? OnlyFor { get; init; }
}
