using Imapsync.CommandLine.Setup;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Mail;
using Imapsync.Tests.Support.Discovery;

namespace Imapsync.CommandLine.Tests;

/// <summary>The command <c>imapsync init</c> with simulated stores. Tests with real ones are in tests/Servers.</summary>
public sealed class InitCommandTests : CommandLineFixture
{
    private readonly Queue<string> answers = [];
    private readonly List<string> questions = [];
    private readonly List<string> fallbacks = [];

    public InitCommandTests() => OpenStore = endpoint => new ListedStore(endpoint.Display);

    [Fact]
    public async Task The_written_file_names_the_provider_and_explains_itself()
    {
        Prompt = (_, _) => ValueTask.FromResult(new Secret(Password));
        Assert.Equal(0, await InitAsync("alice@gmail.com", "--yes", "--to", "backup", "--run", "no"));
        var file = await ReadAsync("job.yaml");
        Assert.Equal($$"""
            # Written by imapsync init. Every key is described in docs/job-file.md.
            #   imapsync check job.yaml   reads it and signs in
            #   imapsync run job.yaml     copies what is new, as often as you like
            jobs:
              - name: alice@gmail.com
                source:
                  provider: gmail   # Gmail and Google Workspace: imaps://imap.gmail.com; 'imapsync providers gmail' tells more
                  user: alice@gmail.com
                  password_file: {{Directory}}/.config/imapsync/alice@gmail.com-source.password   # readable for its owner alone
                target:
                  url: maildir:{{System.IO.Directory.GetCurrentDirectory()}}/backup   # a file for each message
                folders:
                  # Globs: Lists/** is what lies below Lists.
                  exclude: []
                labels: folders   # what to make of Gmail's labels: folders or keywords
                deletions: keep   # what was deleted at the source: keep it, trash (moved to a folder Removed) or mirror
                # Further keys, if you need them:
                # messages: { since: 2020-01-01, max_size: 50MB }
                # max_duration: 6h

            """, file);
        Assert.Equal(Password + "\n", await ReadAsync(".config/imapsync/alice@gmail.com-source.password"));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(Directory, ".config/imapsync/alice@gmail.com-source.password")));
        Assert.Contains("make an app password", Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, Error + Out + file, StringComparison.Ordinal);
        Assert.Equal("imap.gmail.com", ((ImapEndpoint)JobFileReader.Read(Path.Combine(Directory, "job.yaml"), new JobFileOptions { Environment = new Dictionary<string, string> { ["HOME"] = Directory } }).Jobs[0].Source).Host);
    }

    [Fact]
    public async Task A_provider_that_takes_OAuth_alone_is_told_to_be_signed_in_to()
    {
        OpenStore = _ => throw new InvalidOperationException("nobody may sign in yet");
        RunJob = (_, _, _, _, _) => throw new InvalidOperationException("there is nothing to run yet");
        Assert.Equal(0, await InitAsync("alice@hotmail.com", "--yes"));
        var file = await ReadAsync("job.yaml");
        Assert.Contains("      provider: outlook   #", file, StringComparison.Ordinal);
        Assert.Contains("      oauth: outlook   #", file, StringComparison.Ordinal);
        Assert.Contains("- \"Calendar/**\"", file, StringComparison.Ordinal);
        Assert.DoesNotContain("password", file, StringComparison.Ordinal);
        Assert.Contains("needs a client that you register", Error, StringComparison.Ordinal);
        Assert.Contains($"  imapsync login {Path.Combine(Directory, "job.yaml")} alice@hotmail.com\n", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Where_a_provider_takes_both_OAuth_is_asked_for_by_an_option()
    {
        Assert.Equal(0, await InitAsync("alice@gmail.com", "--yes", "--oauth"));
        Assert.Contains("      oauth: google   #", await ReadAsync("job.yaml"), StringComparison.Ordinal);
    }

    /// <summary>
    /// A URL that is not for IMAP is refused everywhere: as the address, as an option, and as the first or second answer for the server.
    /// </summary>
    [Theory]
    [InlineData("pop3s://mail.example.com")]
    [InlineData("pop3://mail.example.com")]
    [InlineData("imap-backup://mail.example.com")]
    [InlineData("ftp://mail.example.com")]
    public async Task A_server_that_is_not_for_IMAP_is_told_so(string url)
    {
        await using var lab = new DiscoveryLab();
        Discovery = lab.Options;
        Assert.Equal(2, await InitAsync(url.Replace("://", "://alice@", StringComparison.Ordinal), "--source-password-env", "ALICE_PASSWORD"));
        Assert.Equal(2, await InitAsync("alice@example.com", "--source-url", url, "--source-password-env", "ALICE_PASSWORD"));
        Answer(url);
        Assert.Equal(2, await InitAsync("alice@example.com", "--source-password-env", "ALICE_PASSWORD"));
        Answer("nowhere.example.com", url);
        Assert.Equal(2, await InitAsync("alice@example.com", "--source-password-env", "ALICE_PASSWORD"));
        Assert.Equal(4, Error.Split("this is no IMAP account").Length - 1);
    }

    [Theory]
    [InlineData("maildir:/tmp")]
    [InlineData("alice")]
    public async Task What_is_no_address_is_told_so(string address)
    {
        Assert.Equal(2, await InitAsync(address, "--yes"));
        Assert.Contains($"ADDRESS: '{address}' is no mail address; write you@example.com, or imaps://USER@HOST", Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("init", "--yess", "Unknown option '--yess'. Did you mean '--yes'?")]
    [InlineData("providers", "--outptu", "Unknown option '--outptu'. Did you mean '--output'?")]
    public async Task An_option_that_is_misspelt_is_no_address(string command, string option, string expected)
    {
        Assert.Equal(2, await InvokeAsync(command, option));
        Assert.Contains(expected, Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_provider_is_recognised_by_the_hosts_that_take_a_domains_mail()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Mx("example.com", 10, "aspmx.l.google.com");
        lab.Imap("imap.gmail.com");
        Discovery = lab.Options;
        Assert.Equal(0, await InitAsync("alice@example.com", "--yes", "--source-password-env", "ALICE_PASSWORD", "--run", "no"));
        Assert.Contains("Found imaps://imap.gmail.com, Gmail and Google Workspace (where the domain's mail is delivered).", Error, StringComparison.Ordinal);
        Assert.Contains("""
                  provider: gmail   # Gmail and Google Workspace: imaps://imap.gmail.com; 'imapsync providers gmail' tells more
                  user: alice@example.com
                  password_env: ALICE_PASSWORD
            """, await ReadAsync("job.yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_that_nobody_vouches_for_gets_no_password_unasked()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.example.com", 0, 0, 993, "imap.hoster.example");
        lab.Imap("imap.hoster.example");
        Discovery = lab.Options;
        OpenStore = _ => throw new InvalidOperationException("it must not be signed in to");
        Assert.Equal(2, await InitAsync("alice@example.com", "--yes", "--source-password-env", "ALICE_PASSWORD"));
        Assert.Contains("a host of another domain, and nobody else vouches for it; if it is right, give --source-url imaps://imap.hoster.example", Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Directory, "job.yaml")));
    }

    [Fact]
    public async Task A_person_who_disagrees_names_the_server()
    {
        await using var lab = new DiscoveryLab();
        lab.Names.Srv("_imaps._tcp.example.com", 0, 0, 993, "imap.hoster.example");
        lab.Imap("imap.hoster.example").Imap("mail.example.com");
        Discovery = lab.Options;
        Answer("", "nowhere.example.com", "mail.example.com", "", "", "", "no");
        Assert.Equal(0, await InitAsync("alice@example.com", "--source-password-env", "ALICE_PASSWORD"));
        Assert.StartsWith("DNS names imaps://imap.hoster.example for alice@example.com", questions[0], StringComparison.Ordinal);
        Assert.Equal(2, questions.Count(q => q.StartsWith("IMAP server", StringComparison.Ordinal)));
        Assert.Contains("url: imaps://alice@example.com@mail.example.com\n", await ReadAsync("job.yaml"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("imaps://alice%2Fadmin@nowhere.example.com", "", "imaps://alice%2Fadmin@mail.example.com")]
    [InlineData("imaps://alice@example.com@nowhere.example.com", "", "imaps://alice@example.com@mail.example.com")]
    [InlineData("imaps://alice@nowhere.example.com", "imaps://bob@mail.example.com", "imaps://bob@mail.example.com")]
    public async Task A_server_that_was_given_and_is_not_there_is_asked_for_again_with_the_user_that_was_given(string given, string answer, string used)
    {
        await using var lab = new DiscoveryLab();
        lab.Imap("mail.example.com");
        Discovery = lab.Options;
        Answer("", answer.Length > 0 ? answer : "mail.example.com", "", "", "", "no");
        Assert.Equal(0, await InitAsync(given, "--source-password-env", "ALICE_PASSWORD"));
        Assert.Equal([given, given], fallbacks.Take(2));
        Assert.Contains(used, await ReadAsync("job.yaml"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_asked_where_nobody_is_and_the_option_is_named()
    {
        Assert.Equal(2, await InitAsync());
        Assert.Contains("ADDRESS: nobody can be asked here: Address of the mailbox to copy; give ADDRESS, and --yes", Error, StringComparison.Ordinal);
        Assert.Equal(2, await InitAsync("alice@gmail.com", "--yes"));
        Assert.Contains("give --source-password-env, --source-password-file or --source-password-command", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_answer_that_is_none_is_asked_for_again()
    {
        Answer("", "alice@gmail.com", "", "-", "never", "cron", "no");
        Assert.Equal(0, await InvokeAsync("init", "--source-password-env", "ALICE_PASSWORD", "--file", Path.Combine(Directory, "job.yaml")));
        Assert.Contains("An answer is needed here.", Error, StringComparison.Ordinal);
        Assert.Contains("'never' is none of no, systemd-user, systemd-system, cron.", Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_dry_run_that_fails_leaves_nothing_behind()
    {
        RunJob = (job, _, _, _, _) => Task.FromResult(Reports.Of(job.Name, Engine.Progress.JobOutcome.Failed));
        Assert.Equal(1, await InitAsync("alice@gmail.com", "--yes", "--source-password-env", "ALICE_PASSWORD"));
        Assert.Contains("The dry run failed, so nothing was written.", Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(Directory, "job.yaml")));
    }

    [Fact]
    public async Task What_can_not_be_written_takes_back_what_was()
    {
        Prompt = (_, _) => ValueTask.FromResult(new Secret(Password));
        // A file blocks the path of the job file's directory, so the job file can't be written.
        var blocked = Path.Combine(Write("blocked", ""), "job.yaml");
        Assert.Equal(2, await InvokeAsync("init", "alice@gmail.com", "--yes", "--to", Path.Combine(Directory, "backup"), "--file", blocked));
        Assert.Contains("it can't be written", Error, StringComparison.Ordinal);
        Assert.Empty(System.IO.Directory.EnumerateFiles(Path.Combine(Directory, ".config"), "*", SearchOption.AllDirectories));
    }

    [Theory]
    [InlineData("mail", "maildir:CURRENT/mail")]
    [InlineData("./mail", "maildir:CURRENT/mail")]
    [InlineData("/srv/mail/", "maildir:/srv/mail/")]
    [InlineData("~/mail", "maildir:/home/a/mail")]
    [InlineData("~", "maildir:/home/a")]
    [InlineData("/srv/a@b", "maildir:/srv/a@b")]
    [InlineData("maildir:~/m", "maildir:/home/a/m")]
    [InlineData("mbox:m", "mbox:CURRENT/m")]
    [InlineData("eml:~/e", "eml:/home/a/e")]
    [InlineData("bob@example.com", null)]
    [InlineData("imaps://bob@example.com", null)]
    public void A_target_is_a_directory_or_an_account(string answer, string? url)
    {
        var target = TargetAnswer.Parse(answer, "/home/a");
        Assert.Equal(url?.Replace("CURRENT", System.IO.Directory.GetCurrentDirectory(), StringComparison.Ordinal), target.DirectoryUrl);
        Assert.Equal(url is null ? answer : null, target.Account);
    }

    [Fact]
    public void Units_and_cron_lines_survive_awkward_paths()
    {
        var schedule = new Schedule("alice@example.com", "/usr/local/bin/imapsync", "/home/a/it's 100% \"$HOME\\x\".yaml", new TimeOnly(3, 5), "alice");
        Assert.Equal("imapsync-alice-example.com", schedule.UnitName);
        Assert.Contains("ExecStart=\"/usr/local/bin/imapsync\" run \"/home/a/it's 100%% \\\"$$HOME\\\\x\\\".yaml\"\n", schedule.Service, StringComparison.Ordinal);
        Assert.Contains("Type=oneshot\nUser=alice\n", schedule.Service, StringComparison.Ordinal);
        Assert.DoesNotContain("User=", (schedule with { User = null }).Service, StringComparison.Ordinal);
        Assert.Contains("OnCalendar=*-*-* 03:05:00\n", schedule.Timer, StringComparison.Ordinal);
        Assert.Equal("5 3 * * *  /usr/local/bin/imapsync run '/home/a/it'\\''s 100\\% \"$HOME\\x\".yaml' --quiet", schedule.CronLine);
    }

    private Task<int> InitAsync(params string[] args) => InvokeAsync(["init", .. args, "--file", Path.Combine(Directory, "job.yaml")]);

    private void Answer(params string[] given)
    {
        foreach (var answer in given)
            answers.Enqueue(answer);
        Ask = (question, fallback, _) =>
        {
            questions.Add(question);
            fallbacks.Add(fallback);
            return ValueTask.FromResult(answers.Dequeue() is { Length: > 0 } answer ? answer : fallback);
        };
    }

    private Task<string> ReadAsync(string name) => File.ReadAllTextAsync(Path.Combine(Directory, name), TestContext.Current.CancellationToken);
}
