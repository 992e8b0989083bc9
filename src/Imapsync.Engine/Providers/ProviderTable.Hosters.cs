using System.Collections.Immutable;

namespace Imapsync.Engine.Providers;

/// <summary>Providers that mostly host mail for their customers' own domains.</summary>
public static partial class ProviderTable
{
    private static ImmutableArray<Provider> Hosters =>
    [
        new("zoho", "Zoho Mail, personal accounts (zoho.com)")
        {
            Host = "imap.zoho.com",
            SignIn = SignIn.Password | SignIn.AppPassword,
            Domains = ["zoho.com", "zohomail.com"],
            Quirks = ["MODSEQ may come as -1; it is then taken for none."],
            Advice = $"{AllowImap} {TwoFactor}",
        },
        new("zoho-pro", "Zoho Mail with a domain of one's own (zoho.com)")
        {
            Host = "imappro.zoho.com",
            SignIn = SignIn.Password | SignIn.AppPassword,
            Exchangers = ["zoho.com"],
            Quirks = ["MODSEQ may come as -1; it is then taken for none."],
            Advice = $"{AllowImap} {TwoFactor}",
        },
        new("zoho-eu", "Zoho Mail, personal accounts (zoho.eu)")
        {
            Host = "imap.zoho.eu",
            SignIn = SignIn.Password | SignIn.AppPassword,
            Domains = ["zoho.eu", "zohomail.eu"],
            Quirks = ["MODSEQ may come as -1; it is then taken for none."],
            Advice = $"{AllowImap} {TwoFactor}",
        },
        new("zoho-pro-eu", "Zoho Mail with a domain of one's own (zoho.eu)")
        {
            Host = "imappro.zoho.eu",
            SignIn = SignIn.Password | SignIn.AppPassword,
            Exchangers = ["zoho.eu"],
            Quirks = ["MODSEQ may come as -1; it is then taken for none."],
            Advice = $"{AllowImap} {TwoFactor}",
        },
        new("mailbox.org", "mailbox.org") { Host = "imap.mailbox.org", Domains = ["mailbox.org"], Exchangers = ["mailbox.org"], SignIn = SignIn.Password | SignIn.AppPassword, Advice = TwoFactor },
        new("posteo", "Posteo") { Host = "posteo.de", Domains = ["posteo.de", "posteo.net", "posteo.org", "posteo.eu", "posteo.at", "posteo.ch"] },
        new("mailfence", "Mailfence") { Host = "imap.mailfence.com", Domains = ["mailfence.com"], Exchangers = ["mailfence.com"] },
        new("runbox", "Runbox") { Host = "mail.runbox.com", Domains = ["runbox.com"], Exchangers = ["runbox.com"], SignIn = SignIn.Password | SignIn.AppPassword, Advice = TwoFactor },
        new("migadu", "Migadu") { Host = "imap.migadu.com", Exchangers = ["migadu.com"] },
        new("purelymail", "Purelymail") { Host = "imap.purelymail.com", Exchangers = ["purelymail.com"], SignIn = SignIn.Password | SignIn.AppPassword, Advice = TwoFactor },
        new("ionos", "IONOS (ionos.com)") { Host = "imap.ionos.com", Exchangers = ["ionos.com"] },
        new("ionos.de", "IONOS (ionos.de)") { Host = "imap.ionos.de", Exchangers = ["ionos.de", "kundenserver.de"] },
        new("ionos.co.uk", "IONOS (ionos.co.uk)") { Host = "imap.ionos.co.uk", Exchangers = ["ionos.co.uk"] },
        new("strato", "STRATO")
        {
            Host = "imap.strato.de",
            Exchangers = ["rzone.de"],
            Quirks = ["LIST with RETURN answers nothing; the plain listing is asked for then."],
        },
        new("ovh", "OVHcloud (MX Plan)") { Host = "ssl0.ovh.net", Exchangers = ["ovh.net"] },
        new("gandi", "Gandi") { Host = "mail.gandi.net", Exchangers = ["gandi.net"] },
        new("infomaniak", "Infomaniak") { Host = "mail.infomaniak.com", Exchangers = ["infomaniak.ch"], SignIn = SignIn.Password | SignIn.AppPassword },
        new("one.com", "one.com") { Host = "imap.one.com", Exchangers = ["one.com"] },
        new("hostinger", "Hostinger") { Host = "imap.hostinger.com", Exchangers = ["hostinger.com"] },
        new("namecheap", "Namecheap Private Email") { Host = "mail.privateemail.com", Exchangers = ["privateemail.com"] },
        new("godaddy", "GoDaddy Workspace Email") { Host = "imap.secureserver.net", Exchangers = ["secureserver.net"] },
        new("rackspace", "Rackspace Email") { Host = "secure.emailsrvr.com", Exchangers = ["emailsrvr.com"] },
        new("dreamhost", "DreamHost") { Host = "imap.dreamhost.com", Exchangers = ["dreamhost.com"] },
    ];
}
