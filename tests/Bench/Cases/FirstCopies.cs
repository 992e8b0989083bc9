using Imapsync.Tests.Support;

namespace Imapsync.Bench.Cases;

/// <summary>Cases that copy the ordinary mailbox to an empty target.</summary>
internal static class FirstCopies
{
    /// <summary>Dovecot's capabilities without MULTIAPPEND, which Exchange and Gmail also lack.</summary>
    public const string NoMultiAppend =
        "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ NAMESPACE UIDPLUS LIST-EXTENDED LIST-STATUS SPECIAL-USE CONDSTORE QRESYNC ESEARCH UNSELECT CHILDREN";

    public static async Task ToMaildirAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = Ordinary(lab);
        var source = await lab.ServeAsync(mailbox);
        var copy = new FirstCopy(mailbox, source, name => new MaildirPlace(lab["out-" + name]), _ => Floor.FetchAsync(source, mailbox));
        await copy.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync(), lab.MailKit(), lab.MailKit(isBatched: false));
    }

    public static async Task ToMboxAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = Ordinary(lab);
        var source = await lab.ServeAsync(mailbox);
        var copy = new FirstCopy(mailbox, source, name => new MboxPlace(lab["out-" + name]), _ => Floor.FetchAsync(source, mailbox));
        await copy.RunAsync(lab, result, lab.Imapsync());
    }

    public static async Task ToImapAsync(BenchLab lab, CaseResult result, bool isMulti)
    {
        var mailbox = Ordinary(lab);
        var source = await lab.ServeAsync(mailbox);
        var server = await lab.StartAsync("target-server", isMulti ? null : NoMultiAppend);
        var copy = new FirstCopy(
            mailbox, source, name => new ImapPlace(server, name, server.Port), place => Floor.AppendAsync((ImapPlace)place, mailbox, isMulti));
        await copy.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync(), lab.MailKit(), lab.MailKit(isBatched: false));
    }

    public static async Task OverTlsAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = Ordinary(lab);
        var served = await lab.ServeAsync(mailbox);
        var source = served with { Port = served.Server.TlsPort, IsTls = true };
        var copy = new FirstCopy(mailbox, source, name => new MaildirPlace(lab["out-" + name]), _ => Floor.FetchAsync(source, mailbox));
        await copy.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync());
    }

    public static async Task OfOneFolderAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = Mailbox.Ordinary(lab["source"], new MailboxPlan { Messages = lab.Options.Messages * 10, MedianBytes = 1000, OnlyFolder = "Archive" });
        result.Notes.Add($"{mailbox.Messages} messages in one folder, half of them under 1.3 KB.");
        var source = await lab.ServeAsync(mailbox);
        var copy = new FirstCopy(mailbox, source, name => new MaildirPlace(lab["out-" + name]), _ => Floor.FetchAsync(source, mailbox));
        await copy.RunAsync(lab, result, lab.Imapsync(), lab.Mbsync());
    }

    /// <summary>The mailbox that most cases use.</summary>
    public static Mailbox Ordinary(BenchLab lab) =>
        Mailbox.Ordinary(lab["source"], new MailboxPlan { Messages = lab.Options.Messages, MedianBytes = 6000 });
}
