using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Peers;

/// <summary>
/// Maildir trees made by the real mbsync and OfflineIMAP, as a job's source or target. The other program goes on working in the tree. No
/// message is lost or doubled.
/// </summary>
public sealed class PeerTreeTests
{
    public static readonly TheoryData<string> Peers = new(All.Keys);

    private static readonly string[] Folders = ["INBOX", "Sent", "Work", "Work/Sub", "Work/Sub/Deep"];

    /// <summary>Names of the test messages used here: messages that look alike, or have forms that mail servers do not write.</summary>
    private static readonly string[] Awkward = ["no Message-ID", "twin", "other twin", "8-bit header", "UTF-8 header", "From lines", "dots"];

    private static Dictionary<string, (PeerTree Tree, Func<BackupLab, string, Task> RunAsync)> All => new()
    {
        ["mbsync, Verbatim"] = (PeerTree.Nested, (lab, tree) => PeerProgram.MbsyncAsync(lab, tree, "Verbatim", "INBOX")),
        ["mbsync, Legacy"] = (PeerTree.DottedBelow, (lab, tree) => PeerProgram.MbsyncAsync(lab, tree, "Legacy", "INBOX")),
        ["mbsync, Maildir++"] = (PeerTree.MaildirPlusPlus, (lab, tree) => PeerProgram.MbsyncAsync(lab, tree, "Maildir++", "")),
        ["OfflineIMAP, sep = /"] = (PeerTree.Nested, (lab, tree) => PeerProgram.OfflineImapAsync(lab, tree, "/")),
        ["OfflineIMAP, sep = ."] = (PeerTree.Flat, (lab, tree) => PeerProgram.OfflineImapAsync(lab, tree, ".")),
    };

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task From_its_tree_every_message_arrives_once_and_the_tree_stays_as_it_was(string peer)
    {
        var (tree, runAsync) = All[peer];
        await using var lab = await AccountAsync();
        var mail = lab.Dir["tree"];
        await runAsync(lab, mail);
        var (before, files) = (Read(tree, mail), Files(mail));
        Assert.Equal((await lab.SourceAsync()).MessageCount, before.MessageCount);
        lab.Endpoint = $"url: maildir:{mail}\n      layout: {tree.Layout}";

        var first = await lab.SucceedAsync();
        Assert.Equal(before.MessageCount, first.Total("copied"));
        first.AddsUp();
        BackupLab.Same(before, MaildirReader.Read(lab.TargetDirectory).WithoutSubscriptions());
        Assert.Equal(files, Files(mail));

        await runAsync(lab, mail);
        Assert.Equal(files.Count(IsMail), Files(mail).Count(IsMail));
        var second = await lab.SucceedAsync();
        Assert.Equal(0, second.Total("copied"));
        Assert.Equal(before.MessageCount, second.Total("already_present"));
        second.AddsUp();
    }

    [Theory]
    [MemberData(nameof(Peers))]
    public async Task Into_its_tree_nothing_comes_twice_and_both_go_on_side_by_side(string peer)
    {
        var (tree, runAsync) = All[peer];
        await using var lab = await AccountAsync();
        var mail = lab.Dir["tree"];
        await runAsync(lab, mail);
        var (account, before) = (await lab.SourceAsync(), Files(mail).Where(IsMail).ToList());
        lab.Target = $"maildir:{mail}\n      layout: {tree.Layout}";

        var first = await lab.SucceedAsync();
        Assert.Equal(0, first.Total("copied"));
        Assert.Equal(account.MessageCount, first.Total("already_present"));
        first.AddsUp();
        Assert.Equal(before.Count, Files(mail).Count(IsMail));

        await runAsync(lab, mail);
        Assert.Equal(before.Count, Files(mail).Count(IsMail));
        Assert.Equal(account.MessageCount, (await lab.SourceAsync()).MessageCount);
        await NothingToDoAsync(lab, account.MessageCount);

        // The other program fetches new mail first; the job must then recognise it.
        await using (var probe = await lab.ConnectAsync())
        {
            await probe.AppendAsync("Work/Sub/Deep", MailGenerator.Message(901), "\\Seen");
            await probe.AppendAsync("INBOX", MailGenerator.Message(902), "");
        }

        await runAsync(lab, mail);
        Assert.Equal(before.Count + 2, Files(mail).Count(IsMail));
        await NothingToDoAsync(lab, account.MessageCount + 2);
        Assert.Equal(before.Count + 2, Files(mail).Count(IsMail));
        await runAsync(lab, mail);
        Assert.Equal(account.MessageCount + 2, (await lab.SourceAsync()).MessageCount);
        Assert.Equal(before.Count + 2, Files(mail).Count(IsMail));
    }

    private static async Task NothingToDoAsync(BackupLab lab, int messages)
    {
        var again = await lab.SucceedAsync();
        Assert.Equal(0, again.Total("copied"));
        Assert.Equal(messages, again.Total("already_present"));
        again.AddsUp();
    }

    private static Task<BackupLab> AccountAsync() => BackupLab.StartAsync(
        mailbox =>
        {
            var number = 0;
            foreach (var folder in Folders)
            {
                mailbox.Add(folder, MailGenerator.Message(number), MailGenerator.Date(number++), "FS");
                mailbox.Add(folder, MailGenerator.Message(number), MailGenerator.Date(number++), number % 2 == 0 ? "" : "RS");
            }

            foreach (var (_, octets) in AwkwardMail.Messages().Where(m => Awkward.Contains(m.Name)))
                mailbox.Add(Folders[number % Folders.Length], octets, MailGenerator.Date(number++), "S");
        },
        new DovecotOptions { Password = "pass" });

    private static MailboxSnapshot Read(PeerTree tree, string mail)
    {
        var snapshot = new MailboxSnapshot();
        foreach (var cur in Directory.EnumerateDirectories(mail, "cur", SearchOption.AllDirectories))
        {
            var folder = Path.GetDirectoryName(cur)!;
            var path = Path.GetRelativePath(mail, folder);
            snapshot.Add(tree.NameOf(path == "." ? "" : path), subscribed: false, MaildirReader.Messages(folder));
        }

        return snapshot;
    }

    /// <summary>Every file with its size and time, in order.</summary>
    private static List<string> Files(string directory) =>
    [
        .. Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories)
            .Select(f => new StringBuilder(Path.GetRelativePath(directory, f)).Append('|').Append(new FileInfo(f).Length).Append('|').Append(File.GetLastWriteTimeUtc(f).Ticks).ToString())
            .Order(StringComparer.Ordinal),
    ];

    private static bool IsMail(string file) => file.Contains("cur/", StringComparison.Ordinal) || file.Contains("new/", StringComparison.Ordinal);
}
