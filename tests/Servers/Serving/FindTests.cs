using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Imap;
using Imapsync.Serving.Finding;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>Messages are found by their readable text, however it is encoded.</summary>
public sealed class FindTests
{
    private static readonly (string Name, string Text)[] Mail =
    [
        ("utf-8 base64", "Subject: =?UTF-8?B?R3LDvMOfZSBhdXMgV2llbg==?=\nFrom: a@b.example\n\nx\n"),
        ("latin-1 quoted", "Subject: =?ISO-8859-1?Q?Gr=FC=DFe_aus_Wien?=\nFrom: =?ISO-8859-1?Q?J=F6rg?= <j@b.example>\n\nx\n"),
        ("koi8-r", "Subject: =?koi8-r?B?8NLJ18XU?=\n\nx\n"),
        ("iso-2022-jp", "Subject: =?ISO-2022-JP?B?GyRCRnxLXDhsGyhC?=\n\nx\n"),
        ("windows-1251 8-bit body", "Subject: plain\nContent-Type: text/plain; charset=windows-1251\nContent-Transfer-Encoding: 8bit\n\n\xCF\xF0\xE8\xE2\xE5\xF2\n"),
        ("gb18030 base64 body", "Subject: plain\nMIME-Version: 1.0\nContent-Type: text/plain; charset=gb18030\nContent-Transfer-Encoding: base64\n\nxOO6w8rAveg=\n"),
        ("utf-8 raw header", "Subject: Gr\xC3\xBC\xC3\x9F" + "e aus Wien\n\nx\n"),
        ("quoted-printable body, torn", "Subject: qp\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nGr=C3=BC=C3=9Fe=\n aus =\n W=69en\n"),
        ("html with entities", "Subject: html\nContent-Type: text/html; charset=utf-8\n\n<style>secretstyle</style><p>Gr&uuml;&szlig;e\n<b>aus</b> Wien\n"),
        ("part of a part", "Subject: deep\nContent-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n--i\nContent-Type: text/plain\n\nthe needle\n--i--\n--o\nContent-Type: application/pdf\nContent-Disposition: attachment; filename*=utf-8''R%C3%A9sum%C3%A9.pdf\n\nx\n--o--\n"),
        ("no header", "\nonly a needle in a body\n"),
        ("no end", "Subject: broken\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=nonsense-9\n\nbroken needle"),
        ("wrong charset", "Subject: wrong\nContent-Type: text/plain; charset=utf-8\n\n\xFF\xFE needle\n"),
        ("no body", "Subject: needle in a header only\nTo: =?utf-8?q?M=C3=BCller?= <m@x.example>\n"),
    ];

    [Theory]
    [InlineData("grüße aus wien", "utf-8 base64|latin-1 quoted|utf-8 raw header|quoted-printable body, torn|html with entities")]
    [InlineData("GRÜßE", "utf-8 base64|latin-1 quoted|utf-8 raw header|quoted-printable body, torn|html with entities")]
    [InlineData("привет", "koi8-r|windows-1251 8-bit body")]
    [InlineData("日本語", "iso-2022-jp")]
    [InlineData("你好世界", "")]
    [InlineData("你好", "gb18030 base64 body")]
    [InlineData("needle", "part of a part|no header|no end|wrong charset|no body")]
    [InlineData("résumé", "part of a part")]
    [InlineData("secretstyle", "")]
    [InlineData("müller", "no body")]
    public async Task Words_are_found_in_any_encoding_and_in_broken_mail(string words, string names) =>
        Assert.Equal(names.Split('|', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal), await FindAsync(new FindQuery { Words = [words] }));

    [Fact]
    public async Task Conditions_are_met_together_and_the_last_received_comes_first()
    {
        Assert.Equal(["latin-1 quoted"], await FindAsync(new FindQuery { From = "jörg", Subject = "wien" }));
        Assert.Equal(["part of a part"], await FindAsync(new FindQuery { HasAttachment = true }));
        Assert.Equal([], await FindAsync(new FindQuery { Folders = [new FolderGlob("Other/**")] }));
        Assert.Equal([Mail[^1].Name, Mail[^2].Name], await FindAsync(new FindQuery { Since = MailGenerator.Date(Mail.Length - 2) }, inOrder: true));
        Assert.Equal([Mail[0].Name], await FindAsync(new FindQuery { Before = MailGenerator.Date(1) }));
        Assert.Equal(Mail.Length, (await FindAsync(new FindQuery { Smaller = 10_000, Larger = 0 })).Count);
        Assert.Equal(["no body"], await FindAsync(new FindQuery { To = "MÜLLER" }));
        Assert.Equal(["no header"], await FindAsync(new FindQuery { Body = "only a needle" }));
    }

    [Fact]
    public async Task A_message_that_can_not_be_read_is_named()
    {
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir.Create("backup"));
        mailbox.Add("INBOX", "Subject: y\n\nx\n"u8, MailGenerator.Date(1));
        // A link may lead out of the backup, so it is not followed.
        var linked = mailbox.Add("INBOX", "Subject: y\n\nx\n"u8, MailGenerator.Date(2));
        File.Move(linked, dir["elsewhere"]);
        File.CreateSymbolicLink(linked, dir["elsewhere"]);
        var unread = new List<MessageAddress>();
        await using var store = await OpenAsync(dir);
        var found = await new BackupFinder(store, (_, _) => { }, (id, _) => unread.Add(id)).FindAsync(new FindQuery { Words = ["y"] }, CancellationToken.None).ToListAsync();
        Assert.Single(found);
        Assert.Equal(new Uid(2), Assert.Single(unread).Uid);
    }

    private static async Task<List<string>> FindAsync(FindQuery query, bool inOrder = false)
    {
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir.Create("backup"));
        for (var i = 0; i < Mail.Length; i++)
            mailbox.Add(i % 2 == 0 ? "INBOX" : "Work", Encoding.Latin1.GetBytes(Mail[i].Text), MailGenerator.Date(i));
        await using var store = await OpenAsync(dir);
        var unread = new List<string>();
        var found = await new BackupFinder(store, (_, _) => { }, (id, why) => unread.Add($"{id} {why}")).FindAsync(query, CancellationToken.None)
            .Select(m => Mail[(int)((m.Received - MailGenerator.Date(0)) / (MailGenerator.Date(1) - MailGenerator.Date(0)))].Name).ToListAsync();
        Assert.Empty(unread);
        return inOrder ? found : [.. found.Order(StringComparer.Ordinal)];
    }

    private static Task<IMessageStore> OpenAsync(TempDir dir) => StoreRegistry.OpenAsync(
        new MaildirEndpoint(dir["backup"]), new StoreContext(TimeProvider.System, _ => { }) { MemoryDirectory = dir["memory"], MemoryIsReadOnly = false }, CancellationToken.None);
}
