using Imapsync.Imap;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>One message that is stored in a file, or in a part of one.</summary>
/// <param name="Key">A name that identifies the message among those of its folder and never changes.</param>
/// <param name="File">The absolute path of the file.</param>
internal readonly record struct FiledMessage(string Key, string File, FlagSet Flags)
{
    /// <summary>The part of the file that holds the message; null for the whole file.</summary>
    public (long Offset, long Length)? Part { get; init; }

    /// <summary>When the message was received; null to take the date from the message's header or else from the file's time.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>
    /// True if the file is known to have exactly the message's octets. If false, its first line end decides whether line ends are
    /// converted.
    /// </summary>
    public bool IsVerbatim { get; init; }

    /// <summary>The reason why the message can't be read although it exists; null for none.</summary>
    public string? Damage { get; init; }
}
