using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap;
using Imapsync.Imap.Pop3;

namespace Imapsync.Engine.Stores.Pop3;

/// <summary>What a failure on the wire costs: the one place where it becomes <see cref="MailException"/>.</summary>
internal static class Pop3Failure
{
    public static bool IsPop3(Exception e) => e is Pop3RefusedException or ImapProtocolException or ImapConnectionException or ImapLogInException;

    /// <param name="scope">What is lost when the server merely said -ERR.</param>
    /// <param name="what">What was being done, for people.</param>
    public static MailException Translate(Exception e, FailureScope scope, string what) =>
        e is Pop3RefusedException refused ? Refused(refused, scope, what) : ImapFailure.Translate(e, scope, what);

    /// <summary>While connecting, nothing smaller than the store can be lost.</summary>
    public static MailException Connecting(Exception e, string what) =>
        e is Pop3RefusedException refused ? Refused(refused, FailureScope.Store, what, FailureKind.Connect) : ImapFailure.Connecting(e, what, "pop3");

    /// <summary>A refused log-in is for good unless the server says that it is about something else.</summary>
    /// <param name="remedy">What else may be tried, if it is for good.</param>
    public static MailException LogIn(Exception e, string what, string remedy) => e switch
    {
        Pop3RefusedException refused when RefusalClassifier.Classify(refused.Reply).IsTransient => Refused(refused, FailureScope.Store, what),
        Pop3RefusedException => new MailException(FailureScope.Store, false, $"{what}: {e.Message}{remedy}", e) { Kind = FailureKind.Authentication },
        ImapLogInException => ImapFailure.LogIn(e, what, remedy),
        _ => Connecting(e, what),
    };

    private static MailException Refused(Pop3RefusedException e, FailureScope scope, string what, FailureKind kind = FailureKind.Other)
    {
        var refusal = RefusalClassifier.Classify(e.Reply);
        // Another session holds the mailbox, or the server wants a pause: that is all of the account's.
        var wider = refusal.Kind is RefusalKind.Throttled or RefusalKind.TooManyConnections || e.Reply.Has(ResponseCodeKind.InUse) ? FailureScope.Store : scope;
        return new MailException(wider, refusal.IsTransient, $"{what}: {e.Message}", e)
        {
            RetryAfter = refusal.RetryAfter,
            Kind = kind != FailureKind.Other ? kind : refusal.Kind == RefusalKind.Authentication ? FailureKind.Authentication : refusal.IsTransient ? FailureKind.Unavailable : FailureKind.Other,
        };
    }
}
