using System.Collections.Immutable;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Serving.Finding;

/// <summary>What is looked for in a backup; all conditions must hold. Empty or null: no condition. Texts fit in any case.</summary>
public sealed record FindQuery
{
    /// <summary>Words, each of which must occur in the subject, an address or the text, whatever their encoding.</summary>
    public ImmutableArray<string> Words { get; init; } = [];

    public string? From { get; init; }

    /// <summary>A text in To, Cc or Bcc.</summary>
    public string? To { get; init; }

    public string? Subject { get; init; }

    public string? Body { get; init; }

    /// <summary>Received at or after this instant.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Received before this instant.</summary>
    public DateTimeOffset? Before { get; init; }

    /// <summary>The message must have more octets than this.</summary>
    public long? Larger { get; init; }

    /// <summary>The message must have fewer octets than this.</summary>
    public long? Smaller { get; init; }

    public bool HasAttachment { get; init; }

    /// <summary>Globs over the backup's folders; empty for all.</summary>
    public ImmutableArray<FolderGlob> Folders { get; init; } = [];

    internal bool NeedsBody => Body is not null || HasAttachment || !Words.IsEmpty;

    /// <summary>Whether the query asks for more than a folder listing contains.</summary>
    internal bool LooksInside => NeedsBody || From is not null || To is not null || Subject is not null;

    internal bool Accepts(in MessageInfo message) =>
        (Since is null || message.InternalDate >= Since) && (Before is null || message.InternalDate < Before)
        && (Larger is null || message.Size > Larger) && (Smaller is null || (message.Size >= 0 && message.Size < Smaller));
}

/// <summary>A message that fits. Header values are decoded; null where the message does not tell.</summary>
/// <param name="Received">INTERNALDATE.</param>
/// <param name="SizeBytes">Octets with CRLF line ends.</param>
/// <param name="Attachments">File names, or the type of one that has none; null where nobody asked.</param>
public sealed record FoundMessage(
    MessageAddress Id, DateTimeOffset Received, long SizeBytes, FlagSet Flags, string? Subject, string? From, string? To, DateTimeOffset? Date, string? MessageId,
    IReadOnlyList<string>? Attachments);
