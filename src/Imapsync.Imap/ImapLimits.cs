namespace Imapsync.Imap;

/// <summary>
/// How much a server may make this client store or skip before the connection is broken. Values are in octets unless their description says otherwise.
/// </summary>
public sealed record ImapLimits
{
    public static ImapLimits Default { get; } = new();

    /// <summary>The length of one line, from one line end or literal to the next.</summary>
    public int MaxLineBytes { get; init; } = 1 << 20;

    /// <summary>The length of a literal that is not a message body, e.g. a folder name or a keyword list.</summary>
    public int MaxInlineLiteralBytes { get; init; } = 1 << 20;

    /// <summary>The length of one reply with all its literals, not counting bodies.</summary>
    public int MaxFrameBytes { get; init; } = 4 << 20;

    /// <summary>
    /// The total of untagged replies, without bodies, from one tagged reply to the next. Listing a folder's messages may take more. The
    /// limit stops a server that never answers, and bounds the memory of one command.
    /// </summary>
    public long MaxUntaggedBytes { get; init; } = 64 << 20;

    /// <summary>The announced length of a body. No mail is longer, so a server that announces more only wants to fill a disk.</summary>
    public long MaxBodyBytes { get; init; } = 64L << 30;

    /// <summary>The total of all distinct flag and label lists in one command's replies.</summary>
    public long MaxFlagBytes { get; init; } = 64 << 20;

    /// <summary>The number of flags of one message; further flags are dropped. No store keeps as many.</summary>
    public int MaxFlags { get; init; } = 1_000;

    /// <summary>The length of a flag's name; a flag with a longer name is dropped.</summary>
    public int MaxFlagLength { get; init; } = 1_000;

    /// <summary>How many octets of an unread body are discarded; if more are left, the connection is closed instead.</summary>
    public long MaxDrainBytes { get; init; } = 4 << 20;

    /// <summary>The size up to which a body that arrives ahead of its UID is held in memory.</summary>
    public int MaxHeldBodyBytes { get; init; } = 1 << 20;

    /// <summary>The depth of nested parentheses.</summary>
    public int MaxNesting { get; init; } = 32;

    /// <summary>The number of messages in one listing, whatever EXISTS says; each message takes some 40 octets of memory.</summary>
    public int MaxMessages { get; init; } = 20_000_000;

    public int MaxFolders { get; init; } = 200_000;

    public int MaxCapabilities { get; init; } = 1_000;

    /// <summary>The number of entries in one folder's access control list.</summary>
    public int MaxAclEntries { get; init; } = 10_000;

    /// <summary>The number of namespaces, quota resources, folder attributes or ID fields; such lists are always short.</summary>
    public int MaxShortList { get; init; } = 100;

    /// <summary>The length of a status reply's text, which is kept in reports; a longer text is truncated.</summary>
    public int MaxStatusTextBytes { get; init; } = 4_096;

    /// <summary>The iterations SCRAM may ask for. A server that asks for billions only wants to keep this process busy.</summary>
    public int MaxScramIterations { get; init; } = 2_000_000;

    /// <summary>The number of challenges in one AUTHENTICATE.</summary>
    public int MaxChallenges { get; init; } = 30;

    /// <summary>The number of lines that can't be understood, over the life of a connection.</summary>
    public int MaxUnknownLines { get; init; } = 10_000;

    /// <summary>The number of commands that may be in flight.</summary>
    public int MaxInFlight { get; init; } = 16;
}
