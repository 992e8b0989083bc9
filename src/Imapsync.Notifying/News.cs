namespace Imapsync.Notifying;

public enum NewsKind
{
    /// <summary>A run has begun. Only pings are sent for this.</summary>
    Start,

    /// <summary>The run succeeded: everything is stored at the target.</summary>
    Success,
    Failure,
}

/// <summary>The news about a run, in all the forms in which it is sent. Contains no secrets.</summary>
/// <param name="Job">The job's name; null if the news is about a whole run.</param>
/// <param name="Headline">One line without control characters.</param>
/// <param name="Text">Lines for people, safe to show on a terminal.</param>
/// <param name="Json">UTF-8, for programs (docs/monitoring.md).</param>
public sealed record News(NewsKind Kind, string? Job, string Headline, string Text, ReadOnlyMemory<byte> Json, int ExitStatus)
{
    /// <summary>The kind of news in lower case, for programs.</summary>
    public string Event => Kind.ToString().ToLowerInvariant();
}

/// <summary>A notification could not be delivered.</summary>
/// <param name="message">The reason, without the URL, the command or any other secret.</param>
/// <param name="isTransient">Whether trying again may help.</param>
internal sealed class NoticeException(string message, bool isTransient, Exception? inner = null) : Exception(message, inner)
{
    public bool IsTransient => isTransient;
}
