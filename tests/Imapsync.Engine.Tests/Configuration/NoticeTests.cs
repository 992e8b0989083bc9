using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class NoticeTests : JobFileFixture
{
    private const string Token = "s3cr3t-t0k3n";

    [Fact]
    public async Task Everything_there_is_can_be_said()
    {
        Environment["PING"] = "https://hc.example/" + Token;
        var file = Read(File(Job(job: """
            notify:
                  - command: "logger x"
                    on: always
                    timeout: 5s
            """)) + """
            notify:
              - ping_env: PING
              - webhook: http://127.0.0.1/hook
                tls: none
                on: weekly
              - on: change
                tls_ca_file: ca.pem
                mail: { server: "smtps://backup@smtp.example.org:4465", from: b@example.org, to: [o@example.org, "Zwei <z@example.org>"], password_command: "echo x" }
              - mail: { server: "smtp://localhost", from: b@example.org, to: [o@example.org] }
            metrics_file: out.prom
            """);

        Assert.Equal(Path.Combine(Directory, "out.prom"), file.MetricsFile);
        Assert.Equal([NoticeOccasion.Always, NoticeOccasion.Weekly, NoticeOccasion.Change, NoticeOccasion.Failure], file.Notices.Select(n => n.On));
        Assert.Equal("https://hc.example/" + Token, (await Assert.IsType<PingMeans>(file.Notices[0].Means).Url.ReadAsync(TestContext.Current.CancellationToken)).Reveal());
        Assert.True(file.Notices[1].IsClearText);
        var mail = Assert.IsType<MailMeans>(file.Notices[2].Means);
        Assert.Equal(("smtp.example.org", 4465, TlsMode.Implicit, "backup", "b@example.org"), (mail.Host, mail.Port, mail.Tls, mail.User, mail.From));
        Assert.Equal(["o@example.org", "Zwei <z@example.org>"], mail.To);
        Assert.Equal(Path.Combine(Directory, "ca.pem"), file.Notices[2].TlsCaFile);
        var plain = Assert.IsType<MailMeans>(file.Notices[3].Means);
        Assert.Equal((587, TlsMode.StartTls, null, null), (plain.Port, plain.Tls, plain.User, (object?)plain.Password));
        var own = Assert.Single(file.Jobs[0].Notices);
        Assert.Equal((NoticeOccasion.Always, TimeSpan.FromSeconds(5), "logger x"), (own.On, own.Timeout, Assert.IsType<CommandMeans>(own.Means).Command));
    }

    [Theory]
    [InlineData("- on: always", "this entry of 'notify' says nothing of how")]
    [InlineData("- { ping_env: A, command: b }", "has 'ping' and 'command'")]
    [InlineData("- { ping_env: A, ping_file: b }", "'ping_file' contradicts 'ping_env'")]
    [InlineData("- webhok_env: A", "did you mean 'webhook_env'?")]
    [InlineData("- { command: a, on: sometimes }", "'sometimes' is no value for 'on'")]
    [InlineData("- { command: a, timeout: 2m }", "this is too long for a notification")]
    [InlineData("- { command: a, tls: none }", "'tls' means nothing to a command")]
    [InlineData("- ping: http://hc.example/" + Token, "this URL is clear text")]
    [InlineData("- ping: hc.example/" + Token, "this is no https: URL")]
    [InlineData("- ping_env: https://hc.example/" + Token, "'ping_env' holds no name of an environment variable")]
    [InlineData("- { ping_env: A, tls: none, tls_ca_file: x }", "'tls_ca_file' contradicts 'tls: none'")]
    [InlineData("- mail: { server: 'smtps://h', from: x, to: [a@b.c] }", "'x' is no address for 'from'")]
    [InlineData("- mail: { server: 'smtps://h', from: a@b.c, to: [\"a@b.c\\nBcc: d@e.f\"] }", "is no address for 'to'")]
    [InlineData("- mail: { server: 'smtps://h', from: a@b.c, to: [] }", "'to' is empty")]
    [InlineData("- mail: { server: 'smtps://h', from: a@b.c }", "'to' is missing here")]
    [InlineData("- mail: { server: 'imaps://h', from: a@b.c, to: [a@b.c] }", "this is no mail server")]
    [InlineData("- mail: { server: 'smtps://u@h', from: a@b.c, to: [a@b.c] }", "there is no password for u")]
    [InlineData("- mail: { server: 'smtps://h', from: a@b.c, to: [a@b.c], password_env: P }", "there is a password and no user")]
    [InlineData("- mail: { server: 'smtps://u:" + Token + "@h', from: a@b.c, to: [a@b.c], password_env: P }", "a URL must not hold a password")]
    [InlineData("- { tls: none, mail: { server: 'smtps://h', from: a@b.c, to: [a@b.c] } }", "'tls: none' contradicts an smtps: URL")]
    public void A_mistake_is_told_with_its_place_and_without_what_may_be_secret(string entry, string words)
    {
        var error = Error(File(Job()) + $"notify:\n  {entry}\n");
        Assert.Contains(words, error, StringComparison.Ordinal);
        Assert.Matches(@"^job\.yaml:\d+:\d+: ", error);
        Assert.DoesNotContain(Token, error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_URL_with_a_token_is_not_taken_from_the_command_line() =>
        Assert.Contains("every user of this machine can read a URL", Error(File(Job()), "alice.notify.0.ping=https://hc.example/x"), StringComparison.Ordinal);

    [Fact]
    public void What_a_notification_needs_and_is_not_there_keeps_no_job_from_running() =>
        Assert.Equal(2, Read(File(Job()) + "notify:\n  - ping_env: NOT_SET\n  - webhook_file: /nowhere\n").Notices.Length);

    [Fact]
    public void Of_a_file_with_mistakes_those_are_told_whose_entries_have_none()
    {
        var path = Path.Combine(Directory, "job.yaml");
        var text = File(
            Job(source: "password_file: /nowhere", job: "notify: [{ command: a }]"),
            Job(name: "bob", job: "notify: [{ command: b }]"),
            Job(name: "carol", job: "notify: [{ comand: c }]")) + "notify: [{ command: all }]\nnonsense: 1\n";
        System.IO.File.WriteAllText(path, text);

        Assert.Equal(["all", "a", "b"], Commands([]));
        Assert.Equal(["all", "b"], Commands(["bob"]));

        System.IO.File.WriteAllText(path, "jobs: [unclosed");
        Assert.Empty(Commands([]));

        IEnumerable<string> Commands(string[] jobs) =>
            JobFileReader.ReadNotices(path, new JobFileOptions { Environment = Environment, Jobs = jobs }).Select(n => Assert.IsType<CommandMeans>(n.Means).Command);
    }
}
