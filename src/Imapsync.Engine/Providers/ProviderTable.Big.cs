using System.Collections.Immutable;

namespace Imapsync.Engine.Providers;

/// <summary>Providers that offer addresses in their own domains to the public.</summary>
public static partial class ProviderTable
{
    private static ImmutableArray<Provider> Big =>
    [
        new("gmail", "Gmail and Google Workspace")
        {
            Host = "imap.gmail.com",
            SignIn = SignIn.AppPassword | SignIn.OAuth,
            OAuth = "google",
            MaxConnections = 15,
            BytesReadPerDay = 2500 * MB,
            BytesWrittenPerDay = 500 * MB,
            HasLabels = true,
            Domains = ["gmail.com", "googlemail.com"],
            Exchangers = ["google.com", "googlemail.com"],
            Quirks =
            [
                "A message lies in All Mail and in the folder of each of its labels: see 'labels'.",
                "Beyond the day's budget the account may be locked for hours.",
                "A label is only in IMAP if 'Show in IMAP' is set for it (Settings, Labels).",
            ],
            Advice = "The usual password is refused. Turn on 2-Step Verification and make an app password, or sign in with OAuth.",
            Link = "https://myaccount.google.com/apppasswords",
        },
        new("microsoft365", "Microsoft 365 (Exchange Online)")
        {
            Host = "outlook.office365.com",
            SignIn = SignIn.OAuth,
            OAuth = "microsoft365",
            LeaveOut = ["Calendar", "Calendar/**", "Contacts", "Contacts/**", "Journal", "Notes", "Tasks", "Tasks/**"],
            Exchangers = ["mail.protection.outlook.com", "mx.microsoft"],
            Quirks =
            [
                "A busy account is told how long to wait, often five minutes; that is obeyed.",
                "Calendars and contacts show up as folders that hold no mail.",
                "IMAP may be switched off for a mailbox by its administrator: the log-in then ends with 'not connected'.",
            ],
            Advice = "Passwords and app passwords are refused, OAuth is the only way in. The administrator may have to allow the program once.",
            Link = "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/pop3-and-imap4/pop3-and-imap4",
        },
        new("outlook", "Outlook.com, Hotmail, Live and MSN")
        {
            Host = "outlook.office365.com",
            SignIn = SignIn.OAuth,
            OAuth = "outlook",
            LeaveOut = ["Calendar", "Calendar/**", "Contacts", "Contacts/**", "Journal", "Notes", "Tasks", "Tasks/**"],
            Domains =
            [
                "outlook.com", "hotmail.com", "live.com", "msn.com", "outlook.de", "hotmail.de", "live.de", "outlook.fr", "hotmail.fr", "live.fr", "outlook.es",
                "hotmail.es", "outlook.it", "hotmail.it", "live.it", "hotmail.co.uk", "live.co.uk", "live.nl", "hotmail.nl", "outlook.at", "outlook.pt", "live.com.mx",
            ],
            Exchangers = ["olc.protection.outlook.com"],
            Quirks = ["A busy account is told how long to wait, often five minutes; that is obeyed."],
            Advice = "Passwords and app passwords are refused, OAuth is the only way in. IMAP has to be allowed in the settings (Mail, Forwarding and IMAP).",
        },
        new("icloud", "iCloud Mail")
        {
            Host = "imap.mail.me.com",
            SignIn = SignIn.AppPassword,
            User = UserForm.LocalPart,
            Domains = ["icloud.com", "me.com", "mac.com"],
            Exchangers = ["mail.icloud.com"],
            Quirks = ["The user is the part before the @; where that is refused, the whole address gets in."],
            Advice = "Make an app-specific password (Sign-In and Security).",
            Link = "https://account.apple.com",
        },
        new("yahoo", "Yahoo Mail")
        {
            Host = "imap.mail.yahoo.com",
            SignIn = SignIn.AppPassword,
            Domains = ["yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "yahoo.it", "yahoo.es", "yahoo.ca", "yahoo.com.au", "yahoo.com.br", "yahoo.in", "ymail.com", "rocketmail.com"],
            Exchangers = ["yahoodns.net"],
            Quirks = ["Of a folder with more than 10,000 messages only 10,000 are shown; the report says that the rest is missing. Move the older ones into folders of their own."],
            Advice = "Make an app password (Account security).",
            Link = "https://login.yahoo.com/account/security",
        },
        new("aol", "AOL Mail")
        {
            Host = "imap.aol.com",
            SignIn = SignIn.AppPassword,
            Domains = ["aol.com", "aim.com", "aol.de", "aol.co.uk"],
            Exchangers = ["mx-aol.mail.gm0.yahoodns.net"],
            Quirks = ["Of a folder with more than 10,000 messages only 10,000 are shown; the report says that the rest is missing. Move the older ones into folders of their own."],
            Advice = "Make an app password (Account security).",
            Link = "https://login.aol.com/account/security",
        },
        new("fastmail", "Fastmail")
        {
            Host = "imap.fastmail.com",
            SignIn = SignIn.AppPassword | SignIn.OAuth,
            OAuth = "fastmail",
            Domains = ["fastmail.com", "fastmail.fm"],
            Exchangers = ["messagingengine.com"],
            Advice = "Make an app password with access to mail (Settings, Privacy & Security).",
            Link = "https://app.fastmail.com/settings/security",
        },
        new("gmx", "GMX (Germany, Austria, Switzerland)")
        {
            Host = "imap.gmx.net",
            SignIn = SignIn.Password | SignIn.AppPassword,
            Domains = ["gmx.net", "gmx.de", "gmx.at", "gmx.ch"],
            Exchangers = ["gmx.net"],
            Advice = $"{AllowImap} {TwoFactor}",
        },
        new("gmx.com", "GMX.com")
        {
            Host = "imap.gmx.com",
            SignIn = SignIn.Password | SignIn.AppPassword,
            Domains = ["gmx.com", "gmx.us", "gmx.co.uk"],
            Advice = $"{AllowImap} {TwoFactor}",
        },
        new("web.de", "WEB.DE")
        {
            Host = "imap.web.de",
            SignIn = SignIn.Password | SignIn.AppPassword,
            Domains = ["web.de"],
            Exchangers = ["web.de"],
            Advice = $"{AllowImap} {TwoFactor}",
        },
        new("t-online", "Telekom (T-Online)")
        {
            Host = "secureimap.t-online.de",
            Domains = ["t-online.de", "magenta.de"],
            Exchangers = ["t-online.de"],
            Advice = "The password is the one for mail programs, set in the mail centre; it is another than the account's.",
        },
        new("freenet", "freenet Mail") { Host = "mx.freenet.de", Domains = ["freenet.de"] },
        new("yandex", "Yandex Mail")
        {
            Host = "imap.yandex.com",
            SignIn = SignIn.AppPassword | SignIn.OAuth,
            Domains = ["yandex.com", "yandex.ru", "ya.ru", "yandex.by", "yandex.kz"],
            Exchangers = ["yandex.ru", "yandex.net"],
            Advice = $"{AllowImap} Make an app password for mail (Yandex ID, Security).",
            Link = "https://id.yandex.com/security/app-passwords",
        },
        new("mail.ru", "Mail.ru")
        {
            Host = "imap.mail.ru",
            SignIn = SignIn.AppPassword,
            Domains = ["mail.ru", "inbox.ru", "list.ru", "bk.ru", "internet.ru"],
            Exchangers = ["mail.ru"],
            Quirks = ["Numbers come as 9.3736e+06; they are read."],
            Advice = "Make a password for external applications (Security).",
            Link = "https://account.mail.ru/user/2-step-auth/passwords",
        },
        new("seznam", "Seznam Email") { Host = "imap.seznam.cz", Domains = ["seznam.cz", "email.cz", "post.cz"], Exchangers = ["seznam.cz"], Advice = AllowImap },
        new("orange", "Orange (France)") { Host = "imap.orange.fr", Domains = ["orange.fr", "wanadoo.fr"] },
        new("free", "Free (France)") { Host = "imap.free.fr", Domains = ["free.fr"] },
        new("laposte", "La Poste") { Host = "imap.laposte.net", Domains = ["laposte.net"] },
        new("qq", "QQ Mail")
        {
            Host = "imap.qq.com",
            SignIn = SignIn.AppPassword,
            Domains = ["qq.com", "foxmail.com"],
            Quirks = ["Its SEARCH is wrong; it is not used."],
            Advice = "IMAP has to be allowed in the settings, which gives an authorization code; that is the password.",
        },
        new("proton-bridge", "Proton Mail by its Bridge")
        {
            Host = "127.0.0.1",
            Port = 1143,
            UsesStartTls = true,
            IsSelfSigned = true,
            Domains = ["proton.me", "protonmail.com", "protonmail.ch", "pm.me"],
            Exchangers = ["protonmail.ch"],
            Quirks =
            [
                "The certificate is the Bridge's own: tls_fingerprint has to name it, 'imapsync init' shows it.",
                "A message that the Bridge gives as empty although it has a size is a failed one, never an empty copy.",
                "All Mail holds every message once more: leave it out, or take it alone.",
            ],
            Advice = "Install Proton Mail Bridge on this machine and keep it running. Sign in with the user name and the password that it shows, not with Proton's.",
            Link = "https://proton.me/mail/bridge",
        },
    ];
}
