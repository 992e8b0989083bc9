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

    /// <summary>How much of bodies that nobody reads is read past before the connection is given up.</summary>
    public long MaxDrainBytes { get; init; } = 4 << 20;

    /// <summary>A body that comes ahead of its UID is held in memory up to this size.</summary>
    public int MaxHeldBodyBytes { get; init; } = 1 << 20;

    /// <summary>Parentheses within parentheses.</summary>
    public int MaxNesting { get; init; } = 32;

    public int MaxFolders { get; init; } = 200_000;

    public int MaxCapabilities { get; init; } = 1_000;

    /// <summary>Lines that make no sense, over the life of a connection.</summary>
    public int MaxUnknownLines { get; init; } = 10_000;

    /// <summary>Commands sent and not answered.</summary>
    public int MaxInFlight { get; init; } = 16;
}
