using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Serving.Finding;

/// <summary>The conditions of a search in a backup; all must hold. Empty or null means no condition. Texts are compared without regard to case.</summary>
public sealed record FindQuery
{
    /// <summary>Words that must each occur in the subject, an address, an attachment's name or the text, whatever their encoding.</summary>
    public ImmutableArray<string> Words { get; init; } = [];

    public string? From { get; init; }

    /// <summary>Text that To, Cc or Bcc must contain.</summary>
    public string? To { get; init; }

    public string? Subject { get; init; }

    public string? Body { get; init; }

    /// <summary>The message was received at or after this instant.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The message was received before this instant.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>The message has more octets than this.</summary>
    public long? Larger { get; init; }

    /// <summary>The message has fewer octets than this.</summary>
    public long? Smaller { get; init; }

    public bool HasAttachment { get; init; }

    /// <summary>Globs that select folders of the backup; empty for all folders.</summary>
    public ImmutableArray<FolderGlob> Folders { get; init; } = [];

    internal bool NeedsBody => Body is not null || HasAttachment || !Words.IsEmpty;

    /// <summary>Whether the query asks for more than a folder listing contains.</summary>
    internal bool LooksInside => NeedsBody || From is not null || To is not null || Subject is not null;

    internal bool Accepts(in MessageInfo message) =>
        (Since is null || message.InternalDate >= Since) && (Before is null || message.InternalDate < Before)
        && (Larger is null || message.Size > Larger) && (Smaller is null || (message.Size >= 0 && message.Size < Smaller));
}

/// <summary>A message that matches a query. Header values are decoded; null if the header has no such field.</summary>
/// <param name="Received">INTERNALDATE.</param>
/// <param name="SizeBytes">With CRLF line ends.</param>
/// <param name="Attachments">File names, or the media type of a file without name; null if the query did not need them.</param>
public sealed record FoundMessage(
    MessageAddress Id, DateTimeOffset Received, long SizeBytes, FlagSet Flags, string? Subject, string? From, string? To, DateTimeOffset? Date, string? MessageId,
    IReadOnlyList<string>? Attachments);
