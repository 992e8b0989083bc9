using Imapsync.Imap;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>One message that is stored in a file, or in a part of one.</summary>
/// <param name="Key">A name that identifies the message among those of its folder and never changes.</param>
/// <param name="File">The absolute path of the file.</param>
internal readonly record struct FiledMessage(string Key, string File, FlagSet Flags)
{
    /// <summary>The part of the file that holds the message; null for the whole file.</summary>
    public (long Offset, long Length)? Part { get; init; }

    /// <summary>When the message was received, where the store knows it; otherwise the message's header decides.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>Whether the file is known to hold the message's octets as they are, even none; otherwise its first line end decides.</summary>
    public bool IsVerbatim { get; init; }

    /// <summary>Why the message can't be read, though it exists.</summary>
    public string? Damage { get; init; }
}
