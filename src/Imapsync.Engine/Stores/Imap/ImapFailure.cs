using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>Says what a failure of the IMAP client costs: the one place where its three exceptions become <see cref="MailException"/>.</summary>
internal static class ImapFailure
{
    public static bool IsImap(Exception e) => e is ImapCommandException or ImapProtocolException or ImapConnectionException;

    /// <param name="scope">What is lost when the server merely said NO.</param>
    /// <param name="what">What was being done, for people: <c>cannot open Archive</c>.</param>
    public static MailException Translate(Exception e, FailureScope scope, string what) => e switch
    {
        ImapCommandException refused => Refused(refused.Reply, scope, what, refused),
        ImapConnectionException { Bye: { } bye } lost => Bye(bye, what, lost),
        ImapConnectionException { Failure: ConnectionFailure.Tls } lost => Store(false, what, lost, FailureKind.Connect),
        _ => new MailException(FailureScope.Folder, true, $"{what}: {e.Message}", e),
    };

    /// <summary>While connecting, nothing smaller than the store can be lost.</summary>
    public static MailException Connecting(Exception e, string what) => e switch
    {
        ImapConnectionException { Bye: { } bye } lost => Bye(bye, what, lost),
        ImapConnectionException { Failure: ConnectionFailure.Tls } => Store(false, what, e, FailureKind.Connect, RemedyFor(e.Message)),
        ImapConnectionException => Store(true, what, e, FailureKind.Connect),
        ImapProtocolException => Store(false, what, e, FailureKind.Connect),
        ImapCommandException refused => Refused(refused.Reply, FailureScope.Store, what, refused),
        _ => Store(false, what, e, FailureKind.Connect),
    };

    /// <summary>A refused log-in is for good unless the server says that it is about something else.</summary>
    public static MailException LogIn(Exception e, string what)
    {
        if (e is not ImapCommandException refused)
            return Connecting(e, what);
        var refusal = ServerText.Classify(refused.Reply);
        return refusal.Kind is RefusalKind.Throttled or RefusalKind.TooManyConnections or RefusalKind.Unavailable
            ? Refused(refused.Reply, FailureScope.Store, what, refused)
            : Store(false, what, e, FailureKind.Authentication);
    }

    private static MailException Refused(StatusReply reply, FailureScope scope, string what, Exception cause)
    {
        var refusal = ServerText.Classify(reply);
        var (wider, kind) = refusal.Kind switch
        {
            RefusalKind.Authentication => (FailureScope.Store, FailureKind.Authentication),
            RefusalKind.Throttled or RefusalKind.TooManyConnections => (FailureScope.Store, FailureKind.Other),
            RefusalKind.Quota => (FailureScope.Store, FailureKind.Quota),
            RefusalKind.Gone => (scope, FailureKind.Gone),
            _ => (scope, FailureKind.Other),
        };
        return new MailException(wider, refusal.IsTransient, $"{what}: {reply}", cause) { Kind = kind, RetryAfter = refusal.RetryAfter };
    }

    private static MailException Bye(StatusReply bye, string what, Exception cause)
    {
        var refusal = ServerText.Classify(bye);
        // A session ends for many reasons that are over soon; only a refused user is not let in the next time either.
        var isTransient = refusal.Kind != RefusalKind.Authentication;
        var isWide = refusal.Kind is RefusalKind.Authentication or RefusalKind.Throttled or RefusalKind.TooManyConnections;
        return new MailException(isWide ? FailureScope.Store : FailureScope.Folder, isTransient, $"{what}: {bye}", cause)
        {
            Kind = refusal.Kind == RefusalKind.Authentication ? FailureKind.Authentication : FailureKind.Other,
            RetryAfter = refusal.RetryAfter,
        };
    }

    private static string RemedyFor(string tlsTrouble) => tlsTrouble.Contains("certificate", StringComparison.Ordinal)
        ? "; tls_ca_file names an authority to trust, tls_fingerprint pins one certificate"
        : "";

    private static MailException Store(bool isTransient, string what, Exception e, FailureKind kind, string remedy = "") =>
        new(FailureScope.Store, isTransient, $"{what}: {e.Message}{remedy}", e) { Kind = kind };
}
