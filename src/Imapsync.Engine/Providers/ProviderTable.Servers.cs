using System.Collections.Immutable;

namespace Imapsync.Engine.Providers;

/// <summary>Mail server software that people run themselves. The job's <c>url</c> has to name the host.</summary>
public static partial class ProviderTable
{
    private const string AdminSignIn = "To read the mailboxes of others, sign in as an administrator with 'authorize_as' and 'auth: plain'.";

    private static ImmutableArray<Provider> Servers =>
    [
        new("exchange", "Exchange Server on one's own machines")
        {
            LeaveOut = ["Calendar", "Calendar/**", "Contacts", "Contacts/**", "Journal", "Notes", "Tasks", "Tasks/**"],
            Quirks =
            [
                "Messages beyond the server's size limit are refused without a word about the size; it is often 10 or 45 MB.",
                "Names of folders that differ only by case are one to it.",
                "After ten errors it ends the connection; it is then made anew.",
            ],
            Advice = "The IMAP4 services have to be started on the server; they are not by default.",
        },
        new("dovecot", "Dovecot") { Advice = AdminSignIn },
        new("cyrus", "Cyrus IMAP")
        {
            Quirks =
            [
                "Messages with NUL, a bare LF or broken header lines are refused as a target: 'repair: true' changes them until they fit.",
                "8-bit octets in a header become X unless the server has 'munge8bit: no'.",
                "100 keywords a folder are the most.",
            ],
            Advice = AdminSignIn,
        },
        new("courier", "Courier IMAP")
        {
            MaxConnections = 4,
            Quirks = ["All folders lie below INBOX. and its prefix is added by itself.", "Bare LF, bare CR and a missing last line end are changed on arrival."],
        },
        new("zimbra", "Zimbra")
        {
            LeaveOut = ["Chats", "Contacts", "Emailed Contacts", "Calendar", "Tasks"],
            Quirks = ["A subscription to a shared folder that is locked ends the connection; the other folders go on."],
            Advice = AdminSignIn,
        },
        new("cpanel", "cPanel (Dovecot)")
        {
            Quirks = ["All folders lie below INBOX. and its prefix is added by itself."],
            Advice = "The user is the whole address, the host mail.DOMAIN or the server's own name; the certificate says which.",
        },
        new("plesk", "Plesk") { Advice = "The user is the whole address." },
        new("hmailserver", "hMailServer") { Advice = "The user is the whole address." },
        new("mailenable", "MailEnable") { Quirks = ["Flags given with a new message are ignored; they are set afterwards."] },
        new("smartermail", "SmarterMail") { Quirks = ["UIDVALIDITY and UIDNEXT may be 0; what lies there is then recognised by its content."] },
    ];
}
