using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>A message as found by parsing the file itself.</summary>
/// <param name="Record">Without a UID yet.</param>
/// <param name="IsClosed">An empty line follows it.</param>
/// <param name="End">Where the next one begins, or the file ends.</param>
internal sealed record ScannedMessage(MboxRecord Record, bool IsClosed, long End)
{
    public FlagSet Flags => Record.Flags;
}

/// <summary>What kinds of mbox were found in one file.</summary>
[Flags]
internal enum MboxVariants
{
    None = 0,
    Mboxo = 1,
    Mboxcl = 2,
    Mboxcl2 = 4,
    CrLf = 8,
    NoLastEmptyLine = 16,
    PseudoMessage = 32,
    DatelessPostmarks = 64,
    LeadingText = 128,
}
