using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>An account of a real Dovecot, read by POP3.</summary>
public sealed class Pop3Tests
{
    private static readonly int Kills = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 100 : 12;

    private static async Task<BackupLab> LabAsync(Action<MaildirWriter> fill, DovecotOptions? options = null, bool isSecure = false)
    {
        var lab = await BackupLab.StartAsync(fill, (options ?? new DovecotOptions()) with { Pop3 = true });
        lab.Endpoint = Url(lab, isSecure);
        return lab;
    }

    private static string Url(BackupLab lab, bool isSecure = false, string more = "") =>
        $"url: {(isSecure ? "pop3s" : "pop3")}://alice@127.0.0.1:{(isSecure ? lab.Server.Pop3TlsPort : lab.Server.Pop3Port)}\n"
        + $"      tls_ca_file: {lab.Server.Authority.CaFile}\n      password_env: {BackupLab.PasswordVariable}{more}";

    private static void Ordinary(MaildirWriter mailbox, int count)
    {
        for (var i = 0; i < count; i++)
            mailbox.Add("INBOX", MailGenerator.Message(i), MailGenerator.Date(i));
    }

    private static IReadOnlyList<SnapshotMessage> Arrived(BackupLab lab) =>
        MaildirReader.Read(lab.TargetDirectory).Folders.TryGetValue("INBOX", out var inbox) ? inbox.Messages : [];

    private static async Task<IReadOnlyList<SnapshotMessage>> InboxAsync(BackupLab lab) => (await lab.SourceAsync()).Folders["INBOX"].Messages;

    private static async Task ExpungeAsync(BackupLab lab, string uids)
    {
        await using var probe = await lab.ConnectAsync();
        await probe.CommandAsync("SELECT INBOX");
        await probe.CommandAsync($"UID STORE {uids} +FLAGS.SILENT (\\Deleted)");
        await probe.CommandAsync("UID EXPUNGE " + uids);
    }

    [Theory]
    [InlineData(false, "plain login cram-md5 scram-sha-256")]
    [InlineData(true, "plain login cram-md5 scram-sha-256")]
    [InlineData(false, "plain apop")]
    [InlineData(true, "login")]
    public async Task Mail_arrives_octet_for_octet_and_a_second_run_finds_nothing_to_do(bool isSecure, string mechanisms)
    {
        await using var lab = await LabAsync(
            mailbox =>
            {
                // Over POP3 Dovecot adds a missing last line end; another test covers messages without one.
                foreach (var (_, octets) in AwkwardMail.Messages().Where(m => m.Octets is [.., (byte)'\n']))
                    mailbox.Add("INBOX", octets, MailGenerator.Date(1));
                Ordinary(mailbox, 50);
            },
            new DovecotOptions { Mechanisms = mechanisms }, isSecure);

        var first = await lab.SucceedAsync();

        first.AddsUp();
        var second = await lab.SucceedAsync();
        // The test's IMAP probe logs in by PLAIN.
        await lab.Server.RestartAsync(options: lab.Server.Options with { Mechanisms = "plain" });
        var source = await InboxAsync(lab);
        Assert.Equal(source.Select(m => m.Digest).Order(StringComparer.Ordinal), Arrived(lab).Select(m => m.Digest).Order(StringComparer.Ordinal));
        Assert.Equal(source.Count, first.Total("copied"));
        Assert.Equal(0, second.Total("copied"));
        Assert.Equal(source.Count, second.Total("already_present"));
        second.AddsUp();
    }

    [Fact]
    public async Task A_message_has_the_date_that_its_header_tells()
    {
        await using var lab = await LabAsync(mailbox =>
        {
            mailbox.Add("INBOX", "Received: from a by b; Tue, 03 Jun 2025 08:09:10 +0200\nDate: Mon, 02 Jun 2025 10:00:00 +0000\nSubject: a\n\nx\n"u8, MailGenerator.Date(1));
            mailbox.Add("INBOX", "Date: Mon, 02 Jun 2025 10:00:00 +0000\nSubject: b\n\nx\n"u8, MailGenerator.Date(1));
        });

        await lab.SucceedAsync();

        Assert.Equal(
            [new DateTimeOffset(2025, 6, 2, 10, 0, 0, TimeSpan.Zero), new DateTimeOffset(2025, 6, 3, 6, 9, 10, TimeSpan.Zero)],
            Arrived(lab).Select(m => m.InternalDate).Order());
    }

    [Fact]
    public async Task What_is_deleted_at_the_server_stays_in_the_backup_and_what_is_new_comes()
    {
        await using var lab = await LabAsync(mailbox => Ordinary(mailbox, 30));
        await lab.SucceedAsync();
        await ExpungeAsync(lab, "1:10");
        await using (var probe = await lab.ConnectAsync())
            await probe.AppendAsync("INBOX", MailGenerator.Message(1000), "");

        var second = await lab.SucceedAsync();

        Assert.Equal(1, second.Total("copied"));
        Assert.Equal(20, second.Total("already_present"));
        Assert.Equal(31, Arrived(lab).Count);
        second.AddsUp();
    }

    [Fact]
    public async Task Deletions_at_the_server_are_mirrored_where_the_job_says_so()
    {
        await using var lab = await LabAsync(mailbox => Ordinary(mailbox, 40));
        lab.Rules = "deletions: mirror";
        await lab.SucceedAsync();
        await ExpungeAsync(lab, "1:3");

        var second = await lab.SucceedAsync();

        Assert.Equal(3, second.Total("deleted"));
        Assert.Equal((await InboxAsync(lab)).Select(m => m.Digest).Order(StringComparer.Ordinal), Arrived(lab).Select(m => m.Digest).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task After_copy_delete_empties_the_server_once_the_mail_is_in_place()
    {
        await using var lab = await LabAsync(mailbox => Ordinary(mailbox, 30));
        await lab.SucceedAsync();
        Assert.Equal(30, (await InboxAsync(lab)).Count);
        var before = await InboxAsync(lab);
        // Messages that an earlier run copied are deleted as well.
        lab.Endpoint = Url(lab, more: "\n      after_copy: delete");
        File.Delete(Directory.EnumerateFiles(Path.Combine(lab.TargetDirectory, "cur")).Concat(Directory.EnumerateFiles(Path.Combine(lab.TargetDirectory, "new"))).First());

        var second = await lab.RunAsync();

        // One message is gone from the backup, so it must not be deleted at the server.
        Assert.Equal(3, second.Status);
        Assert.Single(await InboxAsync(lab));
        var third = await lab.SucceedAsync("--heal");
        third.AddsUp();
        Assert.Empty(await InboxAsync(lab));
        Assert.Equal(before.Select(m => m.Digest).Order(StringComparer.Ordinal), Arrived(lab).Select(m => m.Digest).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task After_copy_delete_killed_again_and_again_loses_and_doubles_nothing()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        await using var lab = await LabAsync(mailbox => Ordinary(mailbox, 400));
        var expected = await InboxAsync(lab);
        await using var line = FaultProxy.Start(lab.Server.Pop3Port);
        lab.Endpoint = $"url: pop3://alice@127.0.0.1:{line.Port}\n      tls: none\n      after_copy: delete\n      password_env: {BackupLab.PasswordVariable}";
        var octets = expected.Sum(m => m.Length);
        var killed = 0;
        for (var i = 0; i < Kills; i++)
        {
            await using var process = lab.Start();
            // Half of the kills come while mail is read, half while messages are deleted at the end.
            if (i % 2 == 0)
                line.CallAfterFromServer(line.TotalFromServer + random.NextInt64(200, octets / 3), process.Kill);
            else
                line.CallAfterFromClient(line.TotalFromClient + random.NextInt64(20, 12_000), process.Kill);
            killed += (await process.WaitAsync()).Status == 0 ? 0 : 1;
            // Every message that is gone from the server must be in the backup.
            var digests = Arrived(lab).Select(m => m.Digest).Concat((await InboxAsync(lab)).Select(m => m.Digest)).ToHashSet();
            Assert.True(expected.All(m => digests.Contains(m.Digest)), $"lost, seed {seed}");
        }

        Assert.True(killed > 2, $"only {killed} runs were killed, seed {seed}");
        var last = await lab.RunAsync();
        Assert.True(last.Status == 0, $"seed {seed}\n{last}");
        Assert.Empty(await InboxAsync(lab));
        Assert.Equal(expected.Select(m => m.Digest).Order(StringComparer.Ordinal), Arrived(lab).Select(m => m.Digest).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_line_that_is_cut_in_the_middle_of_messages_costs_nothing()
    {
        await using var lab = await LabAsync(mailbox => Ordinary(mailbox, 100));
        await using var line = FaultProxy.Start(lab.Server.Pop3Port, new FaultRules { CutAfterFromServer = 40_000, MostFaults = 2 });
        lab.Endpoint = $"url: pop3://alice@127.0.0.1:{line.Port}\n      tls: none\n      password_env: {BackupLab.PasswordVariable}";

        var run = await lab.SucceedAsync();

        Assert.NotEmpty(line.Faults);
        run.AddsUp();
        Assert.Equal((await InboxAsync(lab)).Select(m => m.Digest).Order(StringComparer.Ordinal), Arrived(lab).Select(m => m.Digest).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_wrong_password_ends_with_12_and_is_nowhere_to_be_read()
    {
        await using var lab = await LabAsync(mailbox => Ordinary(mailbox, 1));
        lab.Environment[BackupLab.PasswordVariable] = "not-the-one-4711";

        var run = await lab.RunAsync("-vv");

        Assert.Equal(12, run.Status);
        Assert.DoesNotContain("not-the-one-4711", run.Everything, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_of_nobody_known_is_refused_before_anything_is_said()
    {
        await using var lab = await LabAsync(mailbox => Ordinary(mailbox, 1));
        await using var line = FaultProxy.Start(lab.Server.Pop3Port);
        lab.Endpoint = $"url: pop3://alice@127.0.0.1:{line.Port}\n      password_env: {BackupLab.PasswordVariable}";

        var run = await lab.RunAsync();

        Assert.Equal(11, run.Status);
        Assert.Contains("can't be trusted", run.Everything, StringComparison.Ordinal);
        Assert.DoesNotContain(lab.Server.Log.Split('\n'), l => l.Contains("Login:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_POP3_account_moves_into_an_IMAP_account()
    {
        await using var lab = await LabAsync(mailbox => Ordinary(mailbox, 60));
        await using var other = await DovecotServer.StartAsync(lab.Dir["other"]);
        lab.Target = $"imap://bob@127.0.0.1:{other.Port}\n      tls_ca_file: {other.Authority.CaFile}\n      password_env: {BackupLab.PasswordVariable}";

        var first = await lab.SucceedAsync();
        var second = await lab.SucceedAsync();

        await using var probe = await ImapProbe.ConnectAsync(other, "bob");
        var inbox = (await probe.SnapshotAsync()).Folders["INBOX"].Messages;
        Assert.Equal((await InboxAsync(lab)).Select(m => m.Digest).Order(StringComparer.Ordinal), inbox.Select(m => m.Digest).Order(StringComparer.Ordinal));
        Assert.Equal(60, first.Total("copied"));
        Assert.Equal(0, second.Total("copied"));
        var verified = await lab.VerifyAsync("--full");
        Assert.True(verified.Status == 0, verified.ToString());
    }

    [Theory]
    [InlineData("cyrus")]
    [InlineData("courier")]
    public async Task From_another_server_mail_arrives_octet_for_octet_once_and_may_be_deleted_there(string name)
    {
        var reason = await UnpackedServer.WhyNotAsync(name);
        Assert.SkipWhen(reason is not null, reason ?? "");
        await using var lab = await LabAsync(_ => { });
        await using UnpackedServer server = name == "cyrus" ? await CyrusServer.StartAsync(lab.Dir[name]) : await CourierServer.StartAsync(lab.Dir[name]);
        await using (var probe = await ImapProbe.ConnectAsync(server.Port, "alice", UnpackedServer.Password))
        {
            for (var i = 0; i < 40; i++)
                await probe.AppendAsync("INBOX", MaildirReader.WithCrLf(MailGenerator.Message(i)).ToArray(), hasLiteralPlus: false);
            // Lines that begin with a dot: POP3 must escape them, so that none is taken for the end of the message.
            await probe.AppendAsync("INBOX", "Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n\r\n.\r\n"u8.ToArray(), hasLiteralPlus: false);
            await probe.AppendAsync("INBOX", "Subject: 8 bit\r\n\r\n\u00e4\u20ac\r\n"u8.ToArray(), hasLiteralPlus: false);
        }

        lab.Environment[BackupLab.PasswordVariable] = UnpackedServer.Password;
        lab.Endpoint = $"url: pop3://alice@127.0.0.1:{server.Pop3Port}\n      tls: none\n      password_env: {BackupLab.PasswordVariable}";
        var there = (await ShownAsync()).Select(m => m.Digest).Order(StringComparer.Ordinal).ToList();

        var first = await lab.SucceedAsync();
        var second = await lab.SucceedAsync();

        Assert.Equal(42, there.Count);
        Assert.Equal((42, 0, 42), (first.Total("copied"), second.Total("copied"), second.Total("already_present")));
        Assert.Equal(there, Arrived(lab).Select(m => m.Digest).Order(StringComparer.Ordinal));

        lab.Endpoint += "\n      after_copy: delete";
        await lab.SucceedAsync();
        Assert.Empty(await ShownAsync());
        Assert.Equal(there, Arrived(lab).Select(m => m.Digest).Order(StringComparer.Ordinal));
        Assert.Equal(0, (await lab.SucceedAsync()).Total("copied"));

        async Task<IReadOnlyList<SnapshotMessage>> ShownAsync()
        {
            await using var probe = await ImapProbe.ConnectAsync(server.Port, "alice", UnpackedServer.Password);
            return [.. (await probe.FetchAsync("INBOX")).Select(m => m.Message)];
        }
    }
}
