namespace Imapsync.Engine.Stores.Mbox;

/// <summary>How a message's octets stand in the file, as far as it is not the common way (mboxrd, every line end CRLF in the message and LF on disk).</summary>
[Flags]
internal enum MboxForm
{
    None = 0,

    /// <summary>
    /// The message has line ends other than CRLF. On disk CRLF is LF and a bare LF is CRLF; two or more CRs before a LF
    /// stand as they are. So each message can be written while it streams by, and read back without looking ahead.
    /// </summary>
    Exchanged = 1,

    /// <summary>The message does not end in a line end; the one on disk is not its own.</summary>
    NoFinalLineEnd = 2,

    /// <summary>mboxo, mboxcl: only <c>From </c> itself was quoted, so <c>>>From </c> stands for itself.</summary>
    QuotedOnce = 4,

    /// <summary>mboxcl2: nothing is quoted.</summary>
    Unquoted = 8,
}
