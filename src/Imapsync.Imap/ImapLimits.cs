namespace Imapsync.Imap;

/// <summary>What a server may make this client hold or skip before the connection is broken. Octets unless the name says otherwise.</summary>
public sealed record ImapLimits
{
    public static ImapLimits Default { get; } = new();

    /// <summary>One line, from one line end or literal to the next.</summary>
    public int MaxLineBytes { get; init; } = 1 << 20;

    /// <summary>A literal that is no message body: a folder name, a keyword list.</summary>
    public int MaxInlineLiteralBytes { get; init; } = 1 << 20;

    /// <summary>One reply with all its literals but without bodies.</summary>
    public int MaxFrameBytes { get; init; } = 4 << 20;

    /// <summary>
    /// Untagged replies, without bodies, from one tagged reply to the next: what a command may bring, besides what listing a folder's
    /// messages takes, and what nobody asked for. So a reply that never completes ends, and what a command keeps is bounded.
    /// </summary>
    public long MaxUntaggedBytes { get; init; } = 64 << 20;

    /// <summary>A body's announced length. Nobody sends longer mail; a server that does wants to fill a disk.</summary>
    public long MaxBodyBytes { get; init; } = 64L << 30;

    /// <summary>Flag and label lists that differ, as one command's replies have them.</summary>
    public long MaxFlagBytes { get; init; } = 64 << 20;

    /// <summary>Flags of one message; what is beyond is left out. More than any store keeps.</summary>
    public int MaxFlags { get; init; } = 1_000;

    /// <summary>A flag's name; a longer one is left out.</summary>
    public int MaxFlagLength { get; init; } = 1_000;

    /// <summary>How much of bodies that nobody reads is read past before the connection is given up.</summary>
    public long MaxDrainBytes { get; init; } = 4 << 20;

    /// <summary>A body that comes ahead of its UID is held in memory up to this size.</summary>
    public int MaxHeldBodyBytes { get; init; } = 1 << 20;

    /// <summary>Parentheses within parentheses.</summary>
    public int MaxNesting { get; init; } = 32;

    /// <summary>Messages in one listing, whatever the server says there are; some 40 octets of memory each.</summary>
    public int MaxMessages { get; init; } = 20_000_000;

    public int MaxFolders { get; init; } = 200_000;

    public int MaxCapabilities { get; init; } = 1_000;

    /// <summary>Rights that one folder's access control list names.</summary>
    public int MaxAclEntries { get; init; } = 10_000;

    /// <summary>Namespaces, resources of a quota, attributes of a folder, fields of ID: lists that are short everywhere.</summary>
    public int MaxShortList { get; init; } = 100;

    /// <summary>The text of a status reply, which is kept in reports; what is longer is cut off.</summary>
    public int MaxStatusTextBytes { get; init; } = 4_096;

    /// <summary>Iterations that SCRAM may ask for: a server that wants billions wants this process to hang.</summary>
    public int MaxScramIterations { get; init; } = 2_000_000;

    /// <summary>Challenges in one AUTHENTICATE.</summary>
    public int MaxChallenges { get; init; } = 30;

    /// <summary>Lines that make no sense, over the life of a connection.</summary>
    public int MaxUnknownLines { get; init; } = 10_000;

    /// <summary>Commands sent and not answered.</summary>
    public int MaxInFlight { get; init; } = 16;
}
