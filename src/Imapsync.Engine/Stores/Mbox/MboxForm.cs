namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// How a message's octets are stored in the file, where this differs from the usual form (mboxrd, every line end CRLF in the message and LF on
/// disk).
/// </summary>
[Flags]
internal enum MboxForm
{
    None = 0,

    /// <summary>
    /// The message has line ends other than CRLF. On disk its CRLFs are LF and its bare LFs are CRLF; two or more CRs before a LF are
    /// unchanged. So each message can be written while it is received, and read back without looking ahead.
    /// </summary>
    Exchanged = 1,

    /// <summary>The message does not end in a line end; the final line end on disk does not belong to it.</summary>
    NoFinalLineEnd = 2,

    /// <summary>mboxo, mboxcl: only <c>From </c> itself was quoted, so a line <c>>>From </c> is meant literally.</summary>
    QuotedOnce = 4,

    /// <summary>mboxcl2: no line is quoted.</summary>
    Unquoted = 8,
}
