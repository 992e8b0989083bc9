using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>A message found by parsing the file itself.</summary>
/// <param name="Record">The message's record, which has no UID yet.</param>
/// <param name="IsClosed">Whether an empty line follows the message.</param>
/// <param name="End">The offset at which the next message begins or the file ends.</param>
internal sealed record ScannedMessage(MboxRecord Record, bool IsClosed, long End)
{
    public FlagSet Flags => Record.Flags;
}

/// <summary>The variants of mbox that were found in one file.</summary>
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
