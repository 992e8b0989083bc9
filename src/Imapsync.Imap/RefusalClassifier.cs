using System.Globalization;

namespace Imapsync.Imap;

/// <summary>Why a server refused a command or ended a session, which decides what to do next.</summary>
public enum RefusalKind
{
    Other,

    /// <summary>The server asks for a lower rate: wait, then continue.</summary>
    Throttled,

    /// <summary>Too many simultaneous connections: use fewer.</summary>
    TooManyConnections,

    /// <summary>The log-in was refused, or it succeeded but the user has no mailbox.</summary>
    Authentication,

    /// <summary>The account's daily transfer limit is used up: stop, and continue the next day.</summary>
    DailyLimit,

    /// <summary>The mailbox is full.</summary>
    Quota,
    TooBig,

    /// <summary>The server rejects the message's octets, e.g. NUL, bare LF, or header lines that are not fields.</summary>
    Malformed,

    /// <summary>The server rejects the message because it does not end in CRLF, which no RFC requires.</summary>
    NoFinalLineEnd,

    /// <summary>The server or the mailbox is temporarily unavailable.</summary>
    Unavailable,

    /// <summary>The folder or message does not exist.</summary>
    Gone,
}

public readonly record struct Refusal(RefusalKind Kind, bool IsTransient, TimeSpan? RetryAfter = null);

/// <summary>
/// Finds out why a server refused, from the response code and the text of a tagged NO or BAD or of an untagged BYE.
/// </summary>
public static class RefusalClassifier
{
    // Texts that override their response code: Gmail uses OVERQUOTA not only for a full mailbox but also for the daily bandwidth limit.
    private static readonly (string Text, RefusalKind Kind, bool IsTransient)[] TextsBeforeCodes =
    [
        ("bandwidth limit", RefusalKind.DailyLimit, false),
    ];

    private static readonly (ResponseCodeKind Code, RefusalKind Kind, bool IsTransient)[] Codes =
    [
        (ResponseCodeKind.Throttled, RefusalKind.Throttled, true),
        (ResponseCodeKind.Unavailable, RefusalKind.Unavailable, true),
        (ResponseCodeKind.InUse, RefusalKind.Unavailable, true),
        (ResponseCodeKind.ServerBug, RefusalKind.Other, true),
        (ResponseCodeKind.OverQuota, RefusalKind.Quota, false),
        (ResponseCodeKind.TooBig, RefusalKind.TooBig, false),
        (ResponseCodeKind.AuthenticationFailed, RefusalKind.Authentication, false),
        (ResponseCodeKind.AuthorizationFailed, RefusalKind.Authentication, false),
        (ResponseCodeKind.Expired, RefusalKind.Authentication, false),
        (ResponseCodeKind.PrivacyRequired, RefusalKind.Authentication, false),
        (ResponseCodeKind.NonExistent, RefusalKind.Gone, false),
        (ResponseCodeKind.TryCreate, RefusalKind.Gone, false),
        (ResponseCodeKind.Cannot, RefusalKind.Other, false),
        (ResponseCodeKind.NoPermission, RefusalKind.Other, false),
    ];

    // Texts of servers that send no response code or an ambiguous one. The first text found in the reply decides.
    private static readonly (string Text, RefusalKind Kind, bool IsTransient)[] Texts =
    [
        // Yahoo refuses a message that does not end in CRLF with this text.
        ("additional arguments", RefusalKind.NoFinalLineEnd, false),

        // Cyrus refuses malformed messages with the following four texts.
        ("contains nul", RefusalKind.Malformed, false),
        ("bare newline", RefusalKind.Malformed, false),
        ("bare lf", RefusalKind.Malformed, false),
        ("invalid header", RefusalKind.Malformed, false),
        ("user is authenticated but not connected", RefusalKind.Authentication, false),
        ("too many simultaneous connections", RefusalKind.TooManyConnections, true),
        ("too many connections", RefusalKind.TooManyConnections, true),
        ("maximum number of connections", RefusalKind.TooManyConnections, true),
        ("connection limit", RefusalKind.TooManyConnections, true),
        ("too many login", RefusalKind.Throttled, true),
        ("too many invalid", RefusalKind.Throttled, true),
        ("request is throttled", RefusalKind.Throttled, true),
        ("backoff time", RefusalKind.Throttled, true),
        ("command limits", RefusalKind.Throttled, true),
        ("rate limit", RefusalKind.Throttled, true),
        ("try again later", RefusalKind.Unavailable, true),
        ("temporarily unavailable", RefusalKind.Unavailable, true),
        ("temporary", RefusalKind.Unavailable, true),
        ("server unavailable", RefusalKind.Unavailable, true),
        ("session expired", RefusalKind.Unavailable, true),

        // Microsoft sends this in mid-session; it is transient because the next log-in uses a new token.
        ("accesstokenexpired", RefusalKind.Unavailable, true),
        ("shutting down", RefusalKind.Unavailable, true),
        ("autologout", RefusalKind.Unavailable, true),
        ("server busy", RefusalKind.Unavailable, true),
        ("internal error", RefusalKind.Other, true),

        // Cyrus sends this when two commands of one user interfere with each other.
        ("system i/o error", RefusalKind.Other, true),
        ("over quota", RefusalKind.Quota, false),
        ("quota exceeded", RefusalKind.Quota, false),
        ("overquota", RefusalKind.Quota, false),
        ("not enough disk quota", RefusalKind.Quota, false),
        ("too large", RefusalKind.TooBig, false),
        ("too big", RefusalKind.TooBig, false),
        ("larger than the maximum", RefusalKind.TooBig, false),
        ("maximum message size", RefusalKind.TooBig, false),
        ("doesn't exist", RefusalKind.Gone, false),
        ("does not exist", RefusalKind.Gone, false),
        ("no such mailbox", RefusalKind.Gone, false),
        ("mailbox not found", RefusalKind.Gone, false),
        ("unknown mailbox", RefusalKind.Gone, false),
    ];

    /// <summary>
    /// Whether the text of a reply without a code says that storage is exhausted. Use it only for the refusal of a message, because
    /// elsewhere the same words may mean something else.
    /// </summary>
    public static bool IsAboutSpace(StatusReply reply)
    {
        ReadOnlySpan<string> words = ["quota", "storage limit", "storage space", "storage is full", "disk full", "disk is full", "out of space", "no space", "not enough space", "insufficient storage", "insufficient space"];
        foreach (var word in words)
        {
            if (reply.Text.Contains(word, StringComparison.OrdinalIgnoreCase))
                return true;
        }

        var box = Math.Max(reply.Text.IndexOf("mailbox", StringComparison.OrdinalIgnoreCase), reply.Text.IndexOf("account", StringComparison.OrdinalIgnoreCase));
        return box >= 0 && reply.Text.AsSpan(box).Contains("full", StringComparison.OrdinalIgnoreCase);
    }

    public static Refusal Classify(StatusReply reply)
    {
        var wait = SuggestedBackoff(reply.Text);
        if (Find(TextsBeforeCodes, reply.Text) is { } telling)
            return telling with { RetryAfter = wait };
        foreach (var (code, kind, isTransient) in Codes)
        {
            if (reply.Has(code))
                return new Refusal(kind, isTransient, wait);
        }

        if (Find(Texts, reply.Text) is { } found)
            return found with { RetryAfter = wait };

        // LIMIT stands for a limit of any kind (RFC 5530 §3); unless the text says otherwise, assume too many simultaneous requests.
        return reply.Has(ResponseCodeKind.Limit)
            ? new Refusal(RefusalKind.Throttled, true, wait)
            : new Refusal(RefusalKind.Other, false, wait);
    }

    private static Refusal? Find((string Text, RefusalKind Kind, bool IsTransient)[] texts, string said)
    {
        foreach (var (text, kind, isTransient) in texts)
        {
            if (said.Contains(text, StringComparison.OrdinalIgnoreCase))
                return new Refusal(kind, isTransient);
        }

        return null;
    }

    /// <summary>Reads the wait that Office 365 asks for: <c>Suggested Backoff Time: 299961 milliseconds</c>.</summary>
    private static TimeSpan? SuggestedBackoff(string text)
    {
        const string mark = "Backoff Time:";
        var at = text.IndexOf(mark, StringComparison.OrdinalIgnoreCase);
        if (at < 0)
            return null;
        var rest = text.AsSpan(at + mark.Length).TrimStart();
        var digits = rest.IndexOfAnyExceptInRange('0', '9');
        var number = digits < 0 ? rest : rest[..digits];
        return int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            ? TimeSpan.FromMilliseconds(milliseconds)
            : null;
    }
}
