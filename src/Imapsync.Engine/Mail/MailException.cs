namespace Imapsync.Engine.Mail;

/// <summary>How much is lost with a failure, and so how much has to be done again or given up.</summary>
public enum FailureScope
{
    /// <summary>This message alone.</summary>
    Message,

    /// <summary>This folder: its connection is gone or it cannot be opened.</summary>
    Folder,

    /// <summary>The whole store: log-in, TLS, quota, host.</summary>
    Store,
}

/// <summary>What kind of thing went wrong, as far as the exit status and the report tell them apart.</summary>
public enum FailureKind
{
    Other,

    /// <summary>Cannot connect: name, network, TLS, greeting.</summary>
    Connect,

    /// <summary>The store does not let this user in.</summary>
    Authentication,

    /// <summary>What the job's settings point at is not to be had: a password, by any of the ways to give one.</summary>
    Configuration,

    /// <summary>No room left at the target.</summary>
    Quota,

    /// <summary>The message or folder is not there (any more).</summary>
    Gone,

    /// <summary>A limit on how much may be moved, the job's own or the server's for a day, forbids it for now.</summary>
    Limit,

    /// <summary>The store is out of order for now: worth another try after a while.</summary>
    Unavailable,
}

/// <summary>
/// A store could not do what was asked. The store that failed decides scope and transience; who catches it does not guess.
/// The text is for people, names what failed and never holds a secret.
/// </summary>
public sealed class MailException(FailureScope scope, bool isTransient, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public FailureScope Scope { get; } = scope;

    /// <summary>The same request may succeed later.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>How long the server asked to be left alone, where it said so.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public FailureKind Kind { get; init; }

    /// <summary>It was not even tried, since others like it were refused: asking again is of use only after one was taken.</summary>
    public bool IsPassedOver { get; init; }
}
