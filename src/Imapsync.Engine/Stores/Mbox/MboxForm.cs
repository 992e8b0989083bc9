namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// How a message is stored differently from the usual form. In the usual form, lines are quoted as in mboxrd, and CRLF becomes LF on disk.
/// </summary>
[Flags]
internal enum MboxForm
{
    None = 0,

    /// <summary>
    /// The message has line ends other than CRLF. On disk its CRLFs become LF and its bare LFs become CRLF; two or more CRs before a LF
    /// stay. So a message can be written before all of its line ends are known.
    /// </summary>
    Exchanged = 1,

    /// <summary>The message does not end in a line end; the final line end on disk does not belong to it.</summary>
    NoFinalLineEnd = 2,

    /// <summary>
    /// As in mboxo and mboxcl, only lines that begin with <c>From </c> were quoted. So a line <c>>>From </c> on disk is the message's own
    /// line.
    /// </summary>
    QuotedOnce = 4,

    /// <summary>mboxcl2: no line is quoted.</summary>
    Unquoted = 8,
}
