using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap;
using Imapsync.Imap.Pop3;

namespace Imapsync.Engine.Stores.Pop3;

/// <summary>Translates the POP3 client's exceptions into <see cref="MailException"/>, with their scope and transience.</summary>
internal static class Pop3Failure
{
    public static bool IsPop3(Exception e) => e is Pop3RefusedException or ImapProtocolException or ImapConnectionException or ImapLogInException;

    /// <param name="scope">The scope of the failure if the server answers -ERR and gives no more specific reason.</param>
    /// <param name="what">The operation that failed, for people.</param>
    public static MailException Translate(Exception e, FailureScope scope, string what) =>
        e is Pop3RefusedException refused ? Refused(refused, scope, what) : ImapFailure.Translate(e, scope, what);

    /// <summary>Translates a failure while connecting. Its scope is always the store.</summary>
    public static MailException Connecting(Exception e, string what) =>
        e is Pop3RefusedException refused ? Refused(refused, FailureScope.Store, what, FailureKind.Connect) : ImapFailure.Connecting(e, what, "pop3");

    /// <summary>Translates a failed log-in. A refusal is permanent unless the server's reply shows a temporary reason.</summary>
    /// <param name="remedy">A suggestion that is added to a permanent refusal.</param>
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
        // If another session holds the mailbox or the server demands a pause, the failure concerns the whole account.
        var wider = refusal.Kind is RefusalKind.Throttled or RefusalKind.TooManyConnections || e.Reply.Has(ResponseCodeKind.InUse) ? FailureScope.Store : scope;
        return new MailException(wider, refusal.IsTransient, $"{what}: {e.Message}", e)
        {
            RetryAfter = refusal.RetryAfter,
            Kind = kind != FailureKind.Other ? kind : refusal.Kind == RefusalKind.Authentication ? FailureKind.Authentication : refusal.IsTransient ? FailureKind.Unavailable : FailureKind.Other,
        };
    }
}
