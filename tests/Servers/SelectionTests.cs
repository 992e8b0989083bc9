using System.Security.Cryptography;
using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Jobs that select messages by their headers, with a real Dovecot.</summary>
public sealed class SelectionTests
{
    private const string Rules = "messages: { from: ['*@example.org'], without_subject: ['*außer*'], without_headers: { X-Spam-Flag: 'yes*' } }\ndeletions: mirror";

    /// <summary>The messages, each with whether the filter selects it.</summary>
    private static readonly (byte[] Octets, bool TakesPart)[] Mail =
    [
        Message("From: a@example.org\r\nSubject: plain\r\n", true),
        Message("From: a@example.net\r\nSubject: plain\r\n", false),
        Message("From: =?koi8-r?b?8NLJ18XU?=\r\n <B@EXAMPLE.ORG>\r\nSubject: =?utf-8?b?0J/RgNC40LLQtdGC?=\r\n", true),
        Message("From: a@example.org\r\nSubject: =?iso-8859-1?q?ganz_au=DFer_sich?=\r\n", false),
        Message("From: a@example.org\r\nSubject: ganz\r\n =?utf-8?q?au=C3=9Fer?= sich\r\n", false),
        Message("From: a@example.org\r\nSubject: =?x-nobody-knows?b?AAEC?=\r\n", true),
        Message("From: a@example.org\r\nX-Spam-Flag: YES, rather\r\n", false),
        Message("From: a@example.org\r\nX-Spam-Flag: NO\r\n", true),
        Message("Subject: from nobody\r\n", false),
        Message("", true),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_takes_part_is_copied_and_headers_are_read_once(bool isPop3)
    {
        await using var lab = await BackupLab.StartAsync(
            mailbox =>
            {
                foreach (var (octets, _) in Mail)
                    mailbox.Add("INBOX", octets, MailGenerator.Date(1));
            },
            new DovecotOptions { Pop3 = true });
        if (isPop3)
            lab.Endpoint = $"url: pop3://alice@127.0.0.1:{lab.Server.Pop3Port}\n      tls_ca_file: {lab.Server.Authority.CaFile}\n      password_env: {BackupLab.PasswordVariable}";
        lab.Rules = isPop3 ? Rules.Split('\n')[0] : Rules;

        var first = await lab.SucceedAsync();

        first.AddsUp();
        Assert.Equal((5L, 5L), (first.Total("copied"), first.Total("skipped")));
        Assert.Equal(Digests(Mail.Where(m => m.TakesPart)), Arrived(lab));
        Assert.Contains("they are not left out: UID ", first.Error, StringComparison.Ordinal);
        var verified = await lab.VerifyAsync("--full");
        Assert.True(verified.Status == 0, verified.ToString());
        lab.Line.Forget();
        var second = await lab.SucceedAsync();
        Assert.Equal((0L, 5L, 5L), (second.Total("copied"), second.Total("already_present"), second.Total("skipped")));
        Assert.DoesNotContain(lab.Line.Commands, c => c.Contains("FETCH", StringComparison.OrdinalIgnoreCase) && c.Contains("HEADER", StringComparison.OrdinalIgnoreCase));

        // Without the filter the remaining messages are copied, and none is copied twice.
        lab.Rules = "";
        Assert.Equal(5, (await lab.SucceedAsync()).Total("copied"));
        Assert.Equal(Digests(Mail), Arrived(lab));
        // With the filter set again, nothing is copied or deleted, although the target now has mail that the filter excludes.
        lab.Rules = isPop3 ? Rules.Split('\n')[0] : Rules;
        Assert.Equal((0L, 0L), Counts(await lab.SucceedAsync()));
        Assert.Equal(Digests(Mail), Arrived(lab));

        static (long, long) Counts(RunOutcome run) => (run.Total("copied"), run.Total("deleted"));
    }

    /// <summary>If no message matches the filter's exclusions, every message is copied, even malformed ones.</summary>
    [Fact]
    public async Task Of_awkward_mail_none_is_left_out_by_a_filter_that_fits_none()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 300, AwkwardMessages = true });
        lab.Rules = "messages: { without_subject: ['*nobody ever wrote this*'], without_headers: { X-Nobody-Has-This: '*' } }";
        var run = await lab.SucceedAsync();
        run.AddsUp();
        Assert.Equal(0, run.Total("skipped"));
        await lab.TargetEqualsSourceAsync();
    }

    private static (byte[] Octets, bool TakesPart) Message(string header, bool takesPart) => (Encoding.ASCII.GetBytes($"{header}\r\nthe text of it\r\n"), takesPart);

    private static IEnumerable<string> Digests(IEnumerable<(byte[] Octets, bool TakesPart)> messages) =>
        messages.Select(m => Convert.ToHexStringLower(SHA256.HashData(m.Octets))).Order(StringComparer.Ordinal);

    private static IEnumerable<string> Arrived(BackupLab lab) =>
        MaildirReader.Read(lab.TargetDirectory).Folders["INBOX"].Messages.Select(m => m.Digest).Order(StringComparer.Ordinal);
}
