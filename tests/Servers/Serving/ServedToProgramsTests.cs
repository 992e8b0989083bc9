using System.Globalization;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Search;
using MailKit.Security;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>Independent programs read a served backup and copy it.</summary>
public sealed class ServedToProgramsTests
{
    private static readonly MailboxPlan Plan = new() { Messages = 300, MaxBytes = 40_000, AwkwardNames = true, AwkwardMessages = true };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Every_folder_octet_flag_date_and_subscription_of_a_backup_is_what_is_served(bool isMbox)
    {
        using var dir = new TempDir();
        var (endpoint, expected) = await BackupAsync(dir, isMbox);
        await using var served = await ServedBackup.StartAsync(endpoint, dir["memory"]);
        await using var probe = await ImapProbe.ConnectAsync(served.Port, ServedBackup.User, ServedBackup.Password);
        BackupLab.Same(expected, await probe.SnapshotAsync());
        BackupLab.Same(expected, await MailKitReader.ReadAsync(served.Port, ServedBackup.User, ServedBackup.Password));
    }

    [Fact]
    public async Task Mbsync_pulls_a_served_backup_whole_and_equal()
    {
        using var dir = new TempDir();
        MailGenerator.Fill(dir["backup"], Plan with { AwkwardMessages = false, AwkwardNames = false });
        await using var served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["backup"]), dir["memory"]);
        var config = dir.Write("mbsyncrc", $"""
            IMAPAccount served
            Host 127.0.0.1
            Port {served.Port}
            User {ServedBackup.User}
            Pass "{ServedBackup.Password}"
            SSLType None
            AuthMechs PLAIN

            IMAPStore far
            Account served

            MaildirStore near
            Inbox {dir["pulled"]}
            SubFolders Maildir++

            Channel mail
            Far :far:
            Near :near:
            Patterns *
            Create Near
            Sync Pull New Flags
            CopyArrivalDate yes
            SyncState {dir.Create("syncstate")}/

            """);
        Directory.CreateDirectory(dir["pulled"]);
        await Command.RunAsync("mbsync", ["-q", "-c", config, "mail"]);
        // mbsync adds a header field of its own to each message.
        foreach (var file in Directory.EnumerateFiles(dir["pulled"], "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None }).Where(f => Path.GetDirectoryName(f)!.EndsWith("cur", StringComparison.Ordinal) || Path.GetDirectoryName(f)!.EndsWith("new", StringComparison.Ordinal)))
        {
            var (date, text) = (File.GetLastWriteTimeUtc(file), await File.ReadAllTextAsync(file, Encoding.Latin1));
            var mark = text.IndexOf("X-TUID: ", StringComparison.Ordinal);
            Assert.True(mark >= 0, file);
            await File.WriteAllTextAsync(file, text.Remove(mark, text.IndexOf('\n', mark) + 1 - mark), Encoding.Latin1);
            File.SetLastWriteTimeUtc(file, date);
        }

        // mbsync supports only five system flags, no keywords and no subscriptions.
        BackupLab.Same(OnlySystemFlags(MaildirReader.Read(dir["backup"])), OnlySystemFlags(MaildirReader.Read(dir["pulled"])));
    }

    [Fact]
    public async Task This_program_copies_a_served_backup_finds_nothing_to_do_the_second_time_and_verifies_every_octet()
    {
        using var dir = new TempDir();
        MailGenerator.Fill(dir["backup"], Plan);
        await using var served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["backup"]), dir["memory"]);
        var job = dir.Write("job.yaml", $"""
            jobs:
              - name: back
                source: {"{"} url: "imap://{ServedBackup.User}@127.0.0.1:{served.Port}", tls: none, password_env: SERVED {"}"}
                target: {"{"} url: "maildir:{dir["copy"]}" {"}"}
                state: {dir["state"]}
            """);
        Assert.Equal(0, (await RunAsync(dir, "run", job, "--report", dir["first.json"])).Status);
        BackupLab.Same(MaildirReader.Read(dir["backup"]), MaildirReader.Read(dir["copy"]));
        Assert.Equal(0, (await RunAsync(dir, "run", job, "--report", dir["second.json"])).Status);
        Assert.Contains("\"copied\":0,", (await File.ReadAllTextAsync(dir["second.json"])).Replace(" ", "", StringComparison.Ordinal));
        var verified = await RunAsync(dir, "verify", job, "--full");
        Assert.True(verified.Status == 0, verified.ToString());
    }

    [Fact]
    public async Task Pythons_imaplib_lists_searches_and_fetches_parts()
    {
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir.Create("backup"));
        mailbox.Add("INBOX", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\nFrom: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/html\n\n<p>two\n--b--\n"u8, MailGenerator.Date(1), "S");
        mailbox.Add("Entwürfe", "Subject: x\n\nbody\n"u8, MailGenerator.Date(2));
        await using var served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["backup"]), dir["memory"]);
        var script = dir.Write("look.py", $"""
            import imaplib
            m = imaplib.IMAP4('127.0.0.1', {served.Port})
            m.login('{ServedBackup.User}', '{ServedBackup.Password}')
            print(sorted(l.split(b' "/" ')[1] for l in m.list()[1]))
            print(m.select('INBOX', readonly=True))
            m.literal = 'grüße'.encode()
            print(m.search('UTF-8', 'SUBJECT'))
            print(m.search(None, 'UNSEEN')[1], m.search(None, 'BODY', 'TWO')[1])
            print(m.fetch('1', '(BODY.PEEK[2] BODY.PEEK[1.MIME])')[1][0][1], m.uid('FETCH', '1', '(BODY.PEEK[TEXT]<2.3>)')[1][0][1])
            print(m.append('INBOX', None, None, b'x')[0], m.create('new')[0], m.copy('1', 'new')[0])
            m.logout()
            """);
        Assert.Equal(
            """
            [b'"Entw&APw-rfe"', b'"INBOX"']
            ('OK', [b'1'])
            ('OK', [b'1'])
            [b''] [b'1']
            b'<p>two' b'b\r\n'
            NO NO NO
            """.ReplaceLineEndings("\n"),
            (await Command.RunAsync("python3", [script])).Trim());
    }

    [Fact]
    public async Task MailKit_searches_as_it_does_in_a_Dovecot_with_the_same_mail()
    {
        using var dir = new TempDir();
        MailGenerator.Fill(dir["source"], Plan with { OnlyFolder = "Work", AwkwardNames = false, AwkwardMessages = false });
        await using var dovecot = await DovecotServer.StartAsync(dir["server"], new DovecotOptions { Maildir = dir["source"] });
        await dovecot.TakeOwnershipAsync(dir["source"]);
        using var there = new ImapClient();
        await there.ConnectAsync("127.0.0.1", dovecot.Port, SecureSocketOptions.None);
        await there.AuthenticateAsync("alice", dovecot.Password);
        var theirs = await there.GetFolderAsync("Work");
        await theirs.OpenAsync(FolderAccess.ReadOnly);
        await Command.RunAsync("cp", ["-a", dir["source"], dir["copy"]]);
        await using var served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["copy"]));
        using var here = new ImapClient();
        await here.ConnectAsync("127.0.0.1", served.Port, SecureSocketOptions.None);
        await here.AuthenticateAsync(ServedBackup.User, ServedBackup.Password);
        var ours = await here.GetFolderAsync("Work");
        await ours.OpenAsync(FolderAccess.ReadOnly);
        Assert.Equal(theirs.UidValidity, ours.UidValidity);
        Assert.Equal(300, ours.Count);

        SearchQuery[] queries =
        [
            SearchQuery.All, SearchQuery.Seen, SearchQuery.NotSeen, SearchQuery.Flagged.And(SearchQuery.NotSeen), SearchQuery.NotDeleted, SearchQuery.HasKeyword("$Label1"), SearchQuery.NotKeyword("todo"),
            SearchQuery.LargerThan(5000), SearchQuery.SmallerThan(3000), SearchQuery.DeliveredAfter(new DateTime(2017, 7, 20)), SearchQuery.DeliveredBefore(new DateTime(2017, 7, 20)),
            SearchQuery.DeliveredOn(new DateTime(2017, 7, 19)), SearchQuery.SentSince(new DateTime(2017, 7, 18)), SearchQuery.SubjectContains("invoice"), SearchQuery.FromContains("example"),
            SearchQuery.BodyContains("budget"), SearchQuery.MessageContains("server"), SearchQuery.HeaderContains("Message-ID", "7"), SearchQuery.Uids([new UniqueId(3), new UniqueId(5), new UniqueId(9999)]),
            SearchQuery.Or(SearchQuery.SubjectContains("travel"), SearchQuery.Not(SearchQuery.Answered)), SearchQuery.ToContains("nobody-at-all"),
        ];
        foreach (var query in queries)
            Assert.Equal(await theirs.SearchAsync(query), await ours.SearchAsync(query));
        const MessageSummaryItems items = MessageSummaryItems.Envelope | MessageSummaryItems.BodyStructure | MessageSummaryItems.Size | MessageSummaryItems.Flags | MessageSummaryItems.InternalDate | MessageSummaryItems.UniqueId;
        Assert.Equal((await theirs.FetchAsync(0, -1, items)).Select(Text), (await ours.FetchAsync(0, -1, items)).Select(Text));
    }

    [Fact]
    public async Task What_a_running_backup_adds_is_there_at_the_next_select_and_what_it_takes_away_is_told()
    {
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir.Create("backup"));
        var first = mailbox.Add("INBOX", "Subject: one\n\n1\n"u8, MailGenerator.Date(1));
        mailbox.Add("INBOX", "Subject: two\n\n2\n"u8, MailGenerator.Date(2));
        await using var served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["backup"]), dir["memory"]);
        await using var client = await served.ConnectAsync();
        Assert.Contains("* 2 EXISTS", await client.OkAsync("SELECT INBOX"));
        mailbox.Add("INBOX", "Subject: three\n\n3\n"u8, MailGenerator.Date(3));
        File.Delete(first);

        var answer = await client.CommandAsync("FETCH 1:2 (BODY.PEEK[TEXT])");
        Assert.Contains("* 2 FETCH (BODY[TEXT] {3}\r\n2\r\n)", answer);
        Assert.StartsWith("NO [EXPUNGEISSUED]", answer[^1], StringComparison.Ordinal);
        Assert.Equal(2, answer.Count);
        Assert.Equal(["* SEARCH 1 2"], await client.OkAsync("SEARCH ALL"));
        Assert.Contains("* 2 EXISTS", await client.OkAsync("SELECT INBOX"));
        Assert.Equal(["* SEARCH 3"], await client.OkAsync("UID SEARCH SUBJECT three"));
    }

    [Fact]
    public async Task Numbers_are_the_same_after_a_restart_where_the_backup_itself_has_none()
    {
        using var dir = new TempDir();
        MailGenerator.Fill(dir["backup"], Plan with { Messages = 40 });
        var before = await NumbersAsync();
        Assert.Equal(before, await NumbersAsync());

        async Task<string> NumbersAsync()
        {
            await using var served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["backup"]), dir["memory"]);
            await using var client = await served.ConnectAsync();
            var lines = (await client.OkAsync("LIST \"\" * RETURN (STATUS (UIDNEXT UIDVALIDITY MESSAGES))")).Order(StringComparer.Ordinal).ToList();
            await client.OkAsync("EXAMINE INBOX");
            lines.AddRange(await client.OkAsync("FETCH 1:* (UID INTERNALDATE RFC822.SIZE)"));
            return string.Join('\n', lines);
        }
    }

    private static async Task<(Endpoint Endpoint, MailboxSnapshot Expected)> BackupAsync(TempDir dir, bool isMbox)
    {
        MailGenerator.Fill(dir["source"], Plan);
        var expected = MaildirReader.Read(dir["source"]);
        if (!isMbox)
            return (new MaildirEndpoint(dir["source"]), expected);
        var copied = await RunAsync(dir, "copy", "maildir:" + dir["source"], "mbox:" + dir["backup"]);
        Assert.True(copied.Status == 0, copied.ToString());
        return (new MboxEndpoint(dir["backup"]), expected);
    }

    private static async Task<ImapsyncResult> RunAsync(TempDir dir, params string[] arguments)
    {
        await using var process = ImapsyncProcess.Start(dir.Create("home"), arguments, new Dictionary<string, string> { ["SERVED"] = ServedBackup.Password });
        return await process.WaitAsync();
    }

    private static MailboxSnapshot OnlySystemFlags(MailboxSnapshot mailbox) => mailbox.WithoutSubscriptions().Select((_, folder) => folder with
    {
        Messages = [.. folder.Messages.Select(m => m with { Flags = SnapshotMessage.Canonical(m.Flags.Split(' ').Where(f => f.StartsWith('\\'))) })],
    });

    private static string Text(IMessageSummary message) => new StringBuilder()
        .Append(CultureInfo.InvariantCulture, $"{message.UniqueId} {message.Size} {message.Flags & ~MailKit.MessageFlags.Recent} {string.Join(' ', message.Keywords.Order(StringComparer.Ordinal))} {message.InternalDate:O} {message.Envelope} {message.Body}").ToString();
}
