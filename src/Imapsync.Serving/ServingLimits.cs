namespace Imapsync.Serving;

/// <summary>Whatever a client, or the mail itself, can make the server hold or do has a bound here.</summary>
public sealed record ServingLimits
{
    public static ServingLimits Default { get; } = new();

    /// <summary>Connections at once; one more is greeted with BYE.</summary>
    public int Connections { get; init; } = 40;

    /// <summary>Of these, how many may not have logged in yet.</summary>
    public int Strangers { get; init; } = 20;

    /// <summary>A command with its literals, in octets. A set of UIDs may be long; nothing else is.</summary>
    public int CommandBytes { get; init; } = 256 * 1024;

    /// <summary>A command before the log-in: a name and a password.</summary>
    public int StrangerCommandBytes { get; init; } = 4 * 1024;

    /// <summary>A literal sent without waiting (LITERAL+) that is too long for a command is read past up to here; behind it the connection ends.</summary>
    public long SkippedLiteralBytes { get; init; } = 128L << 20;

    /// <summary>Parentheses, NOT and OR inside one another.</summary>
    public int SearchDepth { get; init; } = 32;

    /// <summary>Search keys of one command.</summary>
    public int SearchKeys { get; init; } = 1000;

    /// <summary>Items of one FETCH.</summary>
    public int FetchItems { get; init; } = 100;

    /// <summary>Octets of messages that one SEARCH reads; then it ends with NO.</summary>
    public long SearchBytes { get; init; } = 64L << 30;

    /// <summary>Text of one message that is decoded and looked through.</summary>
    public int SearchedTextBytes { get; init; } = 16 << 20;

    /// <summary>A message up to here is held whole while it is fetched; a longer one is read as it is sent.</summary>
    public int HeldMessageBytes { get; init; } = 1 << 20;

    /// <summary>Header octets of one message that an ENVELOPE or BODYSTRUCTURE is made of; fields beyond are left out.</summary>
    public int StructureBytes { get; init; } = 4 << 20;

    /// <summary>One header field of these; what is longer is cut.</summary>
    public int FieldBytes { get; init; } = 1 << 20;

    /// <summary>Addresses of one ENVELOPE, or of all inside one BODYSTRUCTURE; those behind are left out.</summary>
    public int Addresses { get; init; } = 20_000;

    /// <summary>Parts of one message; what lies behind belongs to the last one.</summary>
    public int Parts { get; init; } = 10_000;

    /// <summary>Parts inside one another.</summary>
    public int PartDepth { get; init; } = 100;

    /// <summary>Messages of one folder: 31 octets each, for each session that has it selected, beside what the store's open folder holds.</summary>
    public int Messages { get; init; } = 4_000_000;

    /// <summary>Wrong passwords on one connection; then it ends.</summary>
    public int LogInFailures { get; init; } = 3;

    public TimeSpan LogInTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>A session that asks for nothing (RFC 9051 §5.4: 30 minutes at least), and how long IDLE may last.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromMinutes(31);

    /// <summary>A command begun has to arrive, and an answer to be taken, octet by octet, within this.</summary>
    public TimeSpan StallTime { get; init; } = TimeSpan.FromMinutes(2);
}
