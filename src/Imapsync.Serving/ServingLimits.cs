namespace Imapsync.Serving;

/// <summary>Limits on the memory and work that a client, or the mail itself, can cause in the server.</summary>
public sealed record ServingLimits
{
    public static ServingLimits Default { get; } = new();

    /// <summary>Simultaneous connections; a further one is answered with BYE.</summary>
    public int Connections { get; init; } = 40;

    /// <summary>How many connections may exist on which no user has logged in.</summary>
    public int Strangers { get; init; } = 20;

    /// <summary>The size of a command with its literals, in octets. Only a long set of UIDs needs so much.</summary>
    public int CommandBytes { get; init; } = 256 * 1024;

    /// <summary>The size of a command before log-in, in octets; it needs room only for a name and a password.</summary>
    public int StrangerCommandBytes { get; init; } = 4 * 1024;

    /// <summary>
    /// How many octets of a too long literal are skipped if the client sent it without waiting (LITERAL+). Beyond that the connection ends.
    /// </summary>
    public long SkippedLiteralBytes { get; init; } = 128L << 20;

    /// <summary>The nesting depth of parentheses, NOT and OR in a search.</summary>
    public int SearchDepth { get; init; } = 32;

    /// <summary>The number of search keys in one command.</summary>
    public int SearchKeys { get; init; } = 1000;

    /// <summary>The number of items in one FETCH.</summary>
    public int FetchItems { get; init; } = 100;

    /// <summary>How many octets of messages one SEARCH may read before it ends with NO.</summary>
    public long SearchBytes { get; init; } = 64L << 30;

    /// <summary>How many octets of one message's text are decoded and searched.</summary>
    public int SearchedTextBytes { get; init; } = 16 << 20;

    /// <summary>A message up to this size is kept in memory while it is fetched; a longer one is streamed.</summary>
    public int HeldMessageBytes { get; init; } = 1 << 20;

    /// <summary>How many header octets of one message are used for ENVELOPE and BODYSTRUCTURE; further fields are left out.</summary>
    public int StructureBytes { get; init; } = 4 << 20;

    /// <summary>The size of one header field used for ENVELOPE or BODYSTRUCTURE; a longer field is truncated.</summary>
    public int FieldBytes { get; init; } = 1 << 20;

    /// <summary>The number of addresses in one ENVELOPE, or in all envelopes of one BODYSTRUCTURE; further addresses are left out.</summary>
    public int Addresses { get; init; } = 20_000;

    /// <summary>The number of parts of one message; further parts are left out of its structure.</summary>
    public int Parts { get; init; } = 10_000;

    /// <summary>The nesting depth of parts.</summary>
    public int PartDepth { get; init; } = 100;

    /// <summary>
    /// The number of messages in one folder. Each takes 31 octets in every session that has the folder
    /// selected, besides the store's memory.
    /// </summary>
    public int Messages { get; init; } = 4_000_000;

    /// <summary>The number of wrong passwords on one connection, after which it ends.</summary>
    public int LogInFailures { get; init; } = 3;

    public TimeSpan LogInTime { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>How long a session may be without a command (RFC 9051 §5.4: at least 30 minutes), and how long an IDLE may last.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromMinutes(31);

    /// <summary>How long to wait for the rest of a command that has begun, or until the client accepts a piece of an answer.</summary>
    public TimeSpan StallTime { get; init; } = TimeSpan.FromMinutes(2);
}
