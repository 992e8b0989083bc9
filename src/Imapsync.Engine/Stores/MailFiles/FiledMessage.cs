using Imapsync.Imap;

namespace Imapsync.Engine.Stores.MailFiles;

/// <summary>One message that lies in a file, or in a part of one.</summary>
/// <param name="Key">What it is known by among those of its folder, for good: a name.</param>
/// <param name="File">Absolute.</param>
internal readonly record struct FiledMessage(string Key, string File, FlagSet Flags)
{
    /// <summary>Where its octets are; null for the whole file.</summary>
    public (long Offset, long Length)? Part { get; init; }

    /// <summary>When it came, where the store knows; else its header is asked.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>Why it can't be had, though it is there.</summary>
    public string? Damage { get; init; }
}
