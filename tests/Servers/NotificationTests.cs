using System.Runtime.InteropServices;
using System.Text.Json;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Runs that notify the test's own SMTP server, HTTP server and commands.</summary>
public sealed class NotificationTests
{
    private static readonly MailboxPlan Few = new() { Messages = 30 };

    [Fact]
    public async Task A_good_run_pings_its_start_and_its_end_and_tells_a_command_and_no_mail_is_sent()
    {
        await using var lab = await BackupLab.StartAsync(Few);
        var authority = TestAuthority.Create(lab.Dir.Create("tls"));
        await using var http = HttpReceiver.Start(authority);
        await using var mail = MailReceiver.Start(authority);
        lab.Environment["PING"] = $"{http.Url}/ping/token-4711?a=b";
        lab.Environment["SMTP_PASSWORD"] = MailReceiver.Password;
        lab.Rules = Notify(
            $"- ping_env: PING\n  tls_ca_file: {authority.CaFile}",
            Mail(mail, authority),
            $"- webhook: {http.Url}/hook\n  on: always\n  tls_ca_file: {authority.CaFile}",
            $"- command: cat >{lab.Dir["stdin"]}; env >{lab.Dir["environment"]}\n  on: always");

        var outcome = await lab.SucceedAsync();

        Assert.Equal(["/ping/token-4711/start?a=b", "/ping/token-4711?a=b"], http.Seen.Select(s => s.Target).Where(t => t.Contains("ping", StringComparison.Ordinal)));
        Assert.Contains("alice  all in place · ", http.Seen.Single(s => s.Target == "/ping/token-4711?a=b").Body, StringComparison.Ordinal);
        Assert.Empty(mail.Messages);
        var hook = http.Seen.Single(s => s.Target == "/hook");
        Assert.Equal("application/json; charset=utf-8", hook.Headers["Content-Type"]);
        var told = JsonDocument.Parse(hook.Body).RootElement;
        Assert.Equal(("success", 0), (told.GetProperty("event").GetString(), told.GetProperty("exit_status").GetInt32()));
        Assert.Equal(30, told.GetProperty("jobs")[0].GetProperty("totals").GetProperty("copied").GetInt64());
        Assert.Equal("success", JsonDocument.Parse(await File.ReadAllTextAsync(lab.Dir["stdin"], TestContext.Current.CancellationToken)).RootElement.GetProperty("event").GetString());
        var environment = await File.ReadAllLinesAsync(lab.Dir["environment"], TestContext.Current.CancellationToken);
        Assert.Contains("IMAPSYNC_EVENT=success", environment);
        Assert.Contains("IMAPSYNC_JOB=alice", environment);
        Assert.Contains("IMAPSYNC_EXIT_STATUS=0", environment);
        Assert.DoesNotContain("not told", outcome.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_wrong_password_is_told_by_mail_over_verified_TLS(bool isImplicit)
    {
        await using var lab = await BackupLab.StartAsync(Few);
        var authority = TestAuthority.Create(lab.Dir.Create("tls"));
        await using var mail = MailReceiver.Start(authority, isImplicit);
        lab.Environment[BackupLab.PasswordVariable] = "wrong-password-55";
        lab.Environment["SMTP_PASSWORD"] = MailReceiver.Password;
        lab.Rules = Notify(Mail(mail, authority, isImplicit));

        var outcome = await lab.RunAsync();

        Assert.True(outcome.Status == 12, outcome.ToString());
        var message = Assert.Single(mail.Messages);
        Assert.Equal("imapsync: alice: FAILED, login refused", message.Subject);
        Assert.Equal(("backup@example.org", "ops@example.org, \"Zwei, Nr\" <two@example.org>"), (message.From.ToString(), message.To.ToString()));
        Assert.Equal("auto-generated", message.Headers["Auto-Submitted"]);
        Assert.Contains("[authentication]", message.TextBody, StringComparison.Ordinal);
        Assert.Contains("exit status 12", message.TextBody, StringComparison.Ordinal);
        foreach (var secret in new[] { "wrong-password-55", MailReceiver.Password })
            Assert.DoesNotContain(secret, message.ToString() + outcome, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mail_of_an_incomplete_run_names_the_message_that_failed_with_the_servers_words()
    {
        await using var lab = await MigrationLab.StartAsync(
            mailbox =>
            {
                for (var i = 0; i < 5; i++)
                    mailbox.Add("INBOX", MailGenerator.Message(i, i == 3 ? 300_000 : 2000), MailGenerator.Date(i), "S");
            },
            new DovecotOptions { Plugins = "quota", Extra = "plugin {\n  quota = maildir:User quota\n  quota_max_mail_size = 100K\n}" });
        await using var mail = MailReceiver.Start(null);
        lab.Job.Rules = Notify($"- tls: none\n  mail:\n    server: smtp://127.0.0.1:{mail.Port}\n    from: backup@example.org\n    to: [ops@example.org]");

        var outcome = await lab.RunAsync();

        Assert.True(outcome.Status == 3, outcome.ToString());
        var text = Assert.Single(mail.Messages).TextBody;
        var envelope = outcome.Job.GetProperty("problems")[0].GetProperty("envelope");
        Assert.Contains(envelope.GetProperty("subject").GetString()!, text, StringComparison.Ordinal);
        Assert.Contains("[LIMIT] Mail size is larger", text, StringComparison.OrdinalIgnoreCase);

        // The history of runs, which the command status shows, has the same details of the failure as the notification mail.
        var status = await StatusAsync(lab.Job, "--output", "json");
        Assert.Equal(14, status.Status);
        var problem = JsonDocument.Parse(status.Output).RootElement.GetProperty("jobs")[0].GetProperty("last_run").GetProperty("problems")[0];
        Assert.Equal(envelope.GetProperty("subject").GetString(), problem.GetProperty("envelope").GetProperty("subject").GetString());
    }

    [Fact]
    public async Task Receivers_that_hang_fail_or_cant_be_trusted_change_nothing_and_are_told_without_their_tokens()
    {
        await using var lab = await BackupLab.StartAsync(Few);
        var trusted = TestAuthority.Create(lab.Dir.Create("tls"));
        var other = TestAuthority.Create(lab.Dir.Create("other"));
        await using var http = HttpReceiver.Start(trusted);
        await using var mail = MailReceiver.Start(trusted);
        lab.Environment["SMTP_PASSWORD"] = "not-the-password-88";
        lab.Rules = Notify(
            $"- webhook: {http.Url}/hang/token-1\n  on: always\n  timeout: 0.5s\n  tls_ca_file: {trusted.CaFile}",
            $"- webhook: {http.Url}/status-500/token-2\n  on: always\n  tls_ca_file: {trusted.CaFile}",
            $"- webhook: {http.Url}/status-404/token-3\n  on: always\n  tls_ca_file: {trusted.CaFile}",
            $"- webhook: {http.Url}/status-302/token-3b\n  on: always\n  tls_ca_file: {trusted.CaFile}",
            $"- webhook: {http.Url}/token-4\n  on: always\n  tls_ca_file: {other.CaFile}",
            $"- webhook: {http.Url}/token-5\n  on: always",
            Mail(mail, other) + "\n  on: always",
            Mail(mail, trusted) + "\n  on: always",
            "- webhook_env: NOT_SET\n  on: always",
            "- command: echo it is so >&2; exit 7 # token-6\n  on: always",
            "- command: sleep 1000 # token-7\n  on: always\n  timeout: 0.5s");

        var outcome = await lab.SucceedAsync();

        string[] expected =
        [
            "no end within 0.5 s (tried 3 times)", "localhost answered 500 (tried 3 times)", "localhost answered 404", "localhost answered 302", "no TLS with localhost", "no TLS with 127.0.0.1",
            "127.0.0.1 refuses the log-in of backup", "environment variable NOT_SET is not set", "it ended with exit status 7: it is so", "the command at",
        ];
        var report = JsonDocument.Parse(await File.ReadAllTextAsync(lab.ReportFile, TestContext.Current.CancellationToken)).RootElement;
        var reported = report.GetProperty("notification_failures").EnumerateArray().Select(f => f.GetString()!).ToList();
        Assert.Equal(11, reported.Count);
        foreach (var words in expected)
        {
            Assert.Contains(words, outcome.Error, StringComparison.Ordinal);
            Assert.Contains(reported, r => r.Contains(words, StringComparison.Ordinal));
        }

        Assert.InRange(http.Seen.Count(s => s.Target.StartsWith("/hang", StringComparison.Ordinal)), 1, 3);
        Assert.Equal(1, http.Seen.Count(s => s.Target.StartsWith("/status-404", StringComparison.Ordinal)));
        // Receivers whose certificates the job does not trust got neither a request nor a password.
        Assert.DoesNotContain(http.Seen, s => s.Target is "/token-4" or "/token-5");
        Assert.Empty(mail.Messages);
        foreach (var secret in new[] { "token-", "not-the-password-88" })
            Assert.DoesNotContain(secret, outcome.Error + report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_signal_ends_is_told_and_within_the_time_that_a_signal_gives()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 3000 });
        var authority = TestAuthority.Create(lab.Dir.Create("tls"));
        await using var http = HttpReceiver.Start(authority);
        lab.Rules = Notify($"- ping: {http.Url}/ping\n  tls_ca_file: {authority.CaFile}", $"- webhook: {http.Url}/hang\n  timeout: 60s\n  tls_ca_file: {authority.CaFile}");
        await using var process = lab.Start();
        lab.Line.CallAfterFromServer(2_000_000, () => process.Signal(PosixSignal.SIGTERM));

        var stopped = RunOutcome.Read(await process.WaitAsync(), lab.ReportFile);

        Assert.True(stopped.Status == 143, stopped.ToString());
        var told = http.Seen.Where(s => s.Target.StartsWith("/ping", StringComparison.Ordinal)).ToList();
        Assert.Equal(["/ping/start", "/ping/fail"], told.Select(t => t.Target));
        Assert.Contains("INTERRUPTED", told[1].Body, StringComparison.Ordinal);
        Assert.Contains("exit status 143", told[1].Body, StringComparison.Ordinal);
        Assert.Contains("given up, since the run was to end", stopped.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_ends_before_any_job_is_told_too()
    {
        await using var lab = await BackupLab.StartAsync(Few);
        var authority = TestAuthority.Create(lab.Dir.Create("tls"));
        await using var http = HttpReceiver.Start(authority);
        lab.Endpoint = lab.Endpoint.Replace("password_env: " + BackupLab.PasswordVariable, "password_file: /nowhere/at-all", StringComparison.Ordinal);
        lab.Rules = Notify($"- ping: {http.Url}/ping\n  tls_ca_file: {authority.CaFile}");

        var outcome = await lab.RunAsync();

        Assert.True(outcome.Status == 2, outcome.ToString());
        var told = Assert.Single(http.Seen);
        Assert.Equal("/ping/fail", told.Target);
        Assert.Contains("password file /nowhere/at-all can't be read", told.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_change_is_told_once_and_again_when_it_is_over()
    {
        await using var lab = await BackupLab.StartAsync(Few);
        await using var http = HttpReceiver.Start(null);
        lab.Rules = Notify($"- webhook: {http.Url}/turn\n  on: change\n  tls: none", $"- webhook: {http.Url}/week\n  on: weekly\n  tls: none");
        var good = lab.Environment[BackupLab.PasswordVariable];

        await lab.SucceedAsync();
        lab.Environment[BackupLab.PasswordVariable] = "wrong";
        await lab.RunAsync();
        await lab.RunAsync();
        lab.Environment[BackupLab.PasswordVariable] = good;
        await lab.SucceedAsync();
        await lab.SucceedAsync();

        Assert.Equal(["failure", "success"], http.Seen.Where(s => s.Target == "/turn").Select(s => JsonDocument.Parse(s.Body).RootElement.GetProperty("event").GetString()!));
        // The week may end in the middle of the test, so one or two digests are right.
        var weekly = http.Seen.Where(s => s.Target == "/week").ToList();
        Assert.InRange(weekly.Count, 1, 2);
        Assert.Contains("In the seven days before: 0 runs", JsonDocument.Parse(weekly[0].Body).RootElement.GetProperty("text").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_was_killed_is_no_success()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 3000 });
        await lab.SucceedAsync();
        Assert.Equal(0, (await StatusAsync(lab, "--max-age", "1h")).Status);
        Directory.Delete(lab.StateDirectory, recursive: true);
        Directory.Delete(lab.TargetDirectory, recursive: true);
        await using (var process = lab.Start())
        {
            var killed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lab.Line.CallAfterFromServer(1_000_000, () =>
            {
                process.Kill();
                killed.SetResult();
            });
            await killed.Task.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, TestContext.Current.CancellationToken);
            await process.WaitAsync();
        }

        var status = await StatusAsync(lab);

        Assert.Equal(14, status.Status);
        Assert.Contains("KILLED", status.Output, StringComparison.Ordinal);
        Assert.Equal(2, (await StatusAsync(lab, "--output", "nagios")).Status);
        await lab.SucceedAsync();
        Assert.Equal(0, (await StatusAsync(lab, "--max-age", "1h")).Status);
    }

    private static Task<ImapsyncResult> StatusAsync(BackupLab lab, params string[] options)
    {
        // Run without the password, since monitoring runs as another user.
        return ResultAsync(ImapsyncProcess.Start(lab.Dir.Create("home"), ["status", lab.JobFile, .. options]));
    }

    private static async Task<ImapsyncResult> ResultAsync(ImapsyncProcess process)
    {
        await using (process)
            return await process.WaitAsync();
    }

    private static string Mail(MailReceiver mail, TestAuthority authority, bool isImplicit = false) => $"""
        - tls_ca_file: {authority.CaFile}
          mail:
            server: {(isImplicit ? "smtps" : "smtp")}://{MailReceiver.User}@127.0.0.1:{mail.Port}
            from: backup@example.org
            to: [ops@example.org, '"Zwei, Nr" <two@example.org>']
            password_env: SMTP_PASSWORD
        """;

    private static string Notify(params string[] entries) =>
        "notify:\n" + string.Join('\n', entries.SelectMany(e => e.ReplaceLineEndings("\n").Split('\n')).Select(l => "  " + l));
}
