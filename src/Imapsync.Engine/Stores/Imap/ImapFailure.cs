using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Decides the scope and transience of a failure of the IMAP client: the one place where its exceptions become <see cref="MailException"/>.
/// </summary>
internal static class ImapFailure
{
    public static bool IsImap(Exception e) => e is ImapCommandException or ImapProtocolException or ImapConnectionException or ImapLogInException;

    /// <summary>
    /// After this many connections broke while only one message was being transferred, the message is considered the cause. If the breaks
    /// are in fact random, this judgement is wrong about once in a hundred thousand breaks.
    /// </summary>
    public const int MaxBrokenAlone = 4;

    /// <summary>Returns whether a connection ended without an explanation, so that the message being transferred may be the cause.</summary>
    public static bool IsUnexplained(Exception? reason) => reason switch
    {
        ImapConnectionException { Bye: { } bye } => RefusalClassifier.Classify(bye).Kind == RefusalKind.Other,
        ImapProtocolException { Reply: not null } => false,
        ImapConnectionException { Failure: ConnectionFailure.Network or ConnectionFailure.Stall } or ImapProtocolException => true,
        _ => false,
    };

    /// <param name="scope">The scope of the failure when the server answers NO and gives no more specific reason.</param>
    /// <param name="what">The operation that failed, for people: <c>cannot open Archive</c>.</param>
    public static MailException Translate(Exception e, FailureScope scope, string what) => e switch
    {
        ImapCommandException refused => Refused(refused.Reply, scope, what, refused),
        ImapConnectionException { Bye: { } bye } lost => Bye(bye, what, lost),
        // The connection was dropped because of the server's reply to one command; the commands queued behind that one fail with the same
        // reply.
        ImapProtocolException { Reply: { } reply } lost => Bye(reply, what, lost),
        ImapConnectionException { Failure: ConnectionFailure.Tls } lost => Store(false, what, lost, FailureKind.Connect),
        _ => new MailException(FailureScope.Folder, true, $"{what}: {e.Message}", e),
    };

    /// <summary>Translates a failure while connecting: its scope is always the store.</summary>
    /// <param name="scheme">See <see cref="ConnectRemedy.For"/>.</param>
    public static MailException Connecting(Exception e, string what, string scheme = "imap") => e switch
    {
        ImapConnectionException { Bye: { } bye } lost => Bye(bye, what, lost),
        ImapConnectionException { Failure: ConnectionFailure.Tls } tls => Store(false, what, e, FailureKind.Connect, ConnectRemedy.For(tls, scheme)),
        ImapConnectionException { Unreachable: { } why } => new MailException(FailureScope.Store, true, $"{what}: {why}", e) { Kind = FailureKind.Connect },
        ImapConnectionException => Store(true, what, e, FailureKind.Connect),
        ImapProtocolException => Store(false, what, e, FailureKind.Connect),
        ImapCommandException refused => Refused(refused.Reply, FailureScope.Store, what, refused),
        _ => Store(false, what, e, FailureKind.Connect),
    };

    /// <summary>
    /// Translates a failed log-in: a refusal is permanent unless the server's reply names a temporary limit as its reason (see
    /// <see cref="IsForGood"/>).
    /// </summary>
    /// <param name="remedy">A suggestion that is added to a permanent refusal.</param>
    public static MailException LogIn(Exception e, string what, string remedy)
    {
        if (e is ImapLogInException)
            return Store(false, what, e, FailureKind.Authentication, remedy);
        if (e is not ImapCommandException refused)
            return Connecting(e, what);
        return IsForGood(refused.Reply) ? Store(false, what, e, FailureKind.Authentication, remedy) : Refused(refused.Reply, FailureScope.Store, what, refused);
    }

    /// <summary>Returns whether a log-in was refused because of the user or the secret, and not because of a temporary limit.</summary>
    public static bool IsForGood(StatusReply reply) => RefusalClassifier.Classify(reply).Kind
        is not (RefusalKind.Throttled or RefusalKind.TooManyConnections or RefusalKind.Unavailable or RefusalKind.DailyLimit);

    private static MailException Refused(StatusReply reply, FailureScope scope, string what, Exception cause)
    {
        var refusal = RefusalClassifier.Classify(reply);
        var (wider, kind) = refusal.Kind switch
        {
            RefusalKind.Authentication => (FailureScope.Store, FailureKind.Authentication),
            RefusalKind.Throttled or RefusalKind.TooManyConnections => (FailureScope.Store, FailureKind.Other),
            RefusalKind.DailyLimit => (FailureScope.Store, FailureKind.Limit),
            RefusalKind.Quota => (FailureScope.Store, FailureKind.Quota),
            RefusalKind.Gone => (scope, FailureKind.Gone),
            _ => (scope, refusal.IsTransient ? FailureKind.Unavailable : FailureKind.Other),
        };
        return new MailException(wider, refusal.IsTransient, $"{what}: {reply}{RemedyFor(refusal.Kind)}", cause) { Kind = kind, RetryAfter = refusal.RetryAfter };
    }

    private static MailException Bye(StatusReply bye, string what, Exception cause)
    {
        var refusal = RefusalClassifier.Classify(bye);
        // Most reasons for ending a session pass soon. A refused user, a full mailbox and a used-up daily limit do not: a retry would fail
        // in the same way.
        var isTransient = refusal.Kind is not (RefusalKind.Authentication or RefusalKind.Quota or RefusalKind.DailyLimit);
        var isWide = !isTransient || refusal.Kind is RefusalKind.Throttled or RefusalKind.TooManyConnections;
        return new MailException(isWide ? FailureScope.Store : FailureScope.Folder, isTransient, $"{what}: {bye}{RemedyFor(refusal.Kind)}", cause)
        {
            Kind = refusal.Kind switch
            {
                RefusalKind.Authentication => FailureKind.Authentication,
                RefusalKind.Quota => FailureKind.Quota,
                RefusalKind.DailyLimit => FailureKind.Limit,
                _ => FailureKind.Other,
            },
            RetryAfter = refusal.RetryAfter,
        };
    }

    private static string RemedyFor(RefusalKind kind) => kind == RefusalKind.DailyLimit
        ? "; the account has had what the server lets it move in a day, a run on the next day goes on ('limits: {bytes_per_day}' stops before that)"
        : "";

    private static MailException Store(bool isTransient, string what, Exception e, FailureKind kind, string remedy = "") =>
        new(FailureScope.Store, isTransient, $"{what}: {e.Message}{remedy}", e) { Kind = kind };
}
