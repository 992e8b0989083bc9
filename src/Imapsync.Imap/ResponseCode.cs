using System.Text;

namespace Imapsync.Imap;

/// <summary>The response codes that this client recognises.</summary>
public enum ResponseCodeKind
{
    Unknown,
    Alert,
    AlreadyExists,
    AppendUid,
    AuthenticationFailed,
    AuthorizationFailed,
    BadCharset,
    Cannot,
    Capability,
    ClientBug,
    Closed,
    CompressionActive,
    ContactAdmin,
    CopyUid,
    Corruption,
    Expired,
    ExpungeIssued,
    HighestModSeq,
    InUse,
    Limit,
    MailboxId,
    NoModSeq,
    NonExistent,
    NoPermission,
    NotificationOverflow,
    OverQuota,
    Parse,
    PermanentFlags,
    PrivacyRequired,
    ReadOnly,
    ReadWrite,
    ServerBug,
    Throttled,
    TooBig,
    TryCreate,
    UidNext,
    UidNotSticky,
    UidValidity,
    Unavailable,
    UnknownCte,
    Unseen,
}

/// <summary>The bracketed code of a status reply (RFC 9051 §7.1 and its extensions).</summary>
/// <param name="Name">The code's name in upper case.</param>
/// <param name="Arguments">The text after the name, one character for each octet.</param>
public sealed record ResponseCode(ResponseCodeKind Kind, string Name, string Arguments)
{
    private const int MaxShown = 1000;

    private static readonly Dictionary<string, ResponseCodeKind> Known = new()
    {
        ["ALERT"] = ResponseCodeKind.Alert,
        ["ALREADYEXISTS"] = ResponseCodeKind.AlreadyExists,
        ["APPENDUID"] = ResponseCodeKind.AppendUid,
        ["AUTHENTICATIONFAILED"] = ResponseCodeKind.AuthenticationFailed,
        ["AUTHORIZATIONFAILED"] = ResponseCodeKind.AuthorizationFailed,
        ["BADCHARSET"] = ResponseCodeKind.BadCharset,
        ["CANNOT"] = ResponseCodeKind.Cannot,
        ["CAPABILITY"] = ResponseCodeKind.Capability,
        ["CLIENTBUG"] = ResponseCodeKind.ClientBug,
        ["CLOSED"] = ResponseCodeKind.Closed,
        ["COMPRESSIONACTIVE"] = ResponseCodeKind.CompressionActive,
        ["CONTACTADMIN"] = ResponseCodeKind.ContactAdmin,
        ["COPYUID"] = ResponseCodeKind.CopyUid,
        ["CORRUPTION"] = ResponseCodeKind.Corruption,
        ["EXPIRED"] = ResponseCodeKind.Expired,
        ["EXPUNGEISSUED"] = ResponseCodeKind.ExpungeIssued,
        ["HIGHESTMODSEQ"] = ResponseCodeKind.HighestModSeq,
        ["INUSE"] = ResponseCodeKind.InUse,
        ["LIMIT"] = ResponseCodeKind.Limit,
        ["MAILBOXID"] = ResponseCodeKind.MailboxId,
        ["NOMODSEQ"] = ResponseCodeKind.NoModSeq,
        ["NONEXISTENT"] = ResponseCodeKind.NonExistent,
        ["NOPERM"] = ResponseCodeKind.NoPermission,
        ["NOTIFICATIONOVERFLOW"] = ResponseCodeKind.NotificationOverflow,
        ["OVERQUOTA"] = ResponseCodeKind.OverQuota,
        ["PARSE"] = ResponseCodeKind.Parse,
        ["PERMANENTFLAGS"] = ResponseCodeKind.PermanentFlags,
        ["PRIVACYREQUIRED"] = ResponseCodeKind.PrivacyRequired,
        ["READ-ONLY"] = ResponseCodeKind.ReadOnly,
        ["READ-WRITE"] = ResponseCodeKind.ReadWrite,
        ["SERVERBUG"] = ResponseCodeKind.ServerBug,
        ["THROTTLED"] = ResponseCodeKind.Throttled,
        ["TOOBIG"] = ResponseCodeKind.TooBig,
        ["TRYCREATE"] = ResponseCodeKind.TryCreate,
        ["UIDNEXT"] = ResponseCodeKind.UidNext,
        ["UIDNOTSTICKY"] = ResponseCodeKind.UidNotSticky,
        ["UIDVALIDITY"] = ResponseCodeKind.UidValidity,
        ["UNAVAILABLE"] = ResponseCodeKind.Unavailable,
        ["UNKNOWN-CTE"] = ResponseCodeKind.UnknownCte,
        ["UNSEEN"] = ResponseCodeKind.Unseen,
    };

    /// <summary>The first argument as a number; 0 if it is not a number.</summary>
    public uint Number => WireNumber.Parse32(FirstWord());

    /// <summary>The first argument as a UIDVALIDITY; none if it is not a valid one.</summary>
    public UidValidity Validity => WireNumber.ParseValidity(FirstWord());

    public ModSeq? ModSeq => WireNumber.ParseModSeq(FirstWord());

    /// <summary>The arguments split into words, without parentheses, e.g. flag names or capabilities.</summary>
    public IEnumerable<string> Words => Arguments.Split([' ', '(', ')'], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Returns the code for display, truncated if it is very long.</summary>
    public override string ToString()
    {
        var text = Arguments.Length == 0 ? Name : $"{Name} {Arguments}";
        return text.Length > MaxShown ? text[..MaxShown] + "…" : text;
    }

    internal static ResponseCodeKind KindOf(string name) => Known.GetValueOrDefault(name);

    private byte[] FirstWord() => Encoding.Latin1.GetBytes(Words.FirstOrDefault() ?? "");
}
