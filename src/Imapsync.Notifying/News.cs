namespace Imapsync.Notifying;

public enum NewsKind
{
    /// <summary>A run begins. Only pings are told.</summary>
    Start,

    /// <summary>Everything is in place.</summary>
    Success,
    Failure,
}

/// <summary>What is told of a run, in all the forms that it is told in. Without secrets.</summary>
/// <param name="Job">The job's name; null where it is about a whole run.</param>
/// <param name="Headline">One line without control characters.</param>
/// <param name="Text">Lines for people, safe to show on a terminal.</param>
/// <param name="Json">A document for programs, UTF-8 (docs/monitoring.md).</param>
public sealed record News(NewsKind Kind, string? Job, string Headline, string Text, ReadOnlyMemory<byte> Json, int ExitStatus)
{
    /// <summary>As programs are told it.</summary>
    public string Event => Kind.ToString().ToLowerInvariant();
}

/// <summary>A notification did not get through, and trying again may help or not.</summary>
/// <param name="message">Without the URL, the command or any other secret.</param>
internal sealed class NoticeException(string message, bool isTransient, Exception? inner = null) : Exception(message, inner)
{
    public bool IsTransient => isTransient;
}
