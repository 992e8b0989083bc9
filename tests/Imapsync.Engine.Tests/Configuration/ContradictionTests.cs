using Imapsync.Engine.Tests.Contracts;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class ContradictionTests : JobFileFixture
{
    [Theory]
    [InlineData("password_env: ALICE_PASSWORD\n      password_file: x", "", "", "'password_file' contradicts 'password_env' at")]
    [InlineData("proxy: socks5://me@127.0.0.1\n      proxy_password_file: x\n      proxy_password_env: ALICE_PASSWORD", "", "", "'proxy_password_file' contradicts 'proxy_password_env' at")]
    [InlineData("proxy: socks5://me@127.0.0.1\n      proxy_password_env: s3cr-t", "", "", "'proxy_password_env' holds no name of an environment variable")]
    [InlineData("proxy: socks5://me@127.0.0.1\n      proxy_password_file: nowhere", "", "", "nowhere can't be read: there is no such file")]
    [InlineData("proxy: socks5://me@127.0.0.1\n      proxy_password: s3cret", "", "", "unknown key 'proxy_password'")]
    [InlineData("proxy: socks5://me@127.0.0.1\n      proxy_password_command: x\n      password: x", "", "", null)]
    [InlineData("proxy: socks5://127.0.0.1\n      proxy_password_command: x", "", "", "'proxy_password_command' is for nobody: the proxy's address names no user; write the user into it")]
    [InlineData("proxy_password_command: x", "", "", "'proxy_password_command' has no proxy that it is for; add 'proxy:")]
    [InlineData("auth: external\n      password: x", "", "", "'password' contradicts 'auth: external'")]
    [InlineData("auth: anonymous\n      password: x", "", "", "'password' contradicts 'auth: anonymous'")]
    [InlineData("auth: login\n      authorize_as: bob", "", "", "'auth: login' can't carry 'authorize_as'")]
    [InlineData("auth: cram-md5\n      authorize_as: bob", "", "", "'auth: cram-md5' can't carry 'authorize_as'")]
    [InlineData("auth: scram-sha-256\n      authorize_as: bob", "", "", "'auth: scram-sha-256' can't carry 'authorize_as'")]
    [InlineData("auth: xoauth2\n      authorize_as: bob", "", "", "'auth: xoauth2' can't carry 'authorize_as'")]
    [InlineData("auth: ntlm\n      authorize_as: bob", "", "", "'auth: ntlm' can't carry 'authorize_as'")]
    [InlineData("layout: fs", "", "", "'layout' means nothing to a imaps: store")]
    [InlineData("", "password: x", "", "'password' means nothing to a maildir: store")]
    [InlineData("", "", "deletions: mirror\n    trash_folder: Gone", "'trash_folder' contradicts 'deletions: mirror'")]
    [InlineData("", "", "messages: { since: 2021-01-01, before: 2020-01-01 }", "'before' is not after 'since'")]
    [InlineData("", "", "messages: { min_size: 2MB, max_size: 1MB }", "'max_size' is less than 'min_size'")]
    [InlineData("", "", "messages: { with_flags: [seen], without_flags: [\\seen] }", "'\\Seen' is in 'with_flags' and in 'without_flags'")]
    [InlineData("", "", "messages: { from: ['A@*'], without_from: [b, 'a@*'] }", "'a@*' is in 'from' and in 'without_from'")]
    [InlineData("", "", "messages: { subject: [''] }", "an empty glob fits nothing")]
    [InlineData("", "", "messages: { headers: { 'X Y': '*' } }", "'X Y' is no name of a header field")]
    [InlineData("", "", "messages: { headers: { Bücher: '*' } }", "'Bücher' is no name of a header field")]
    [InlineData("", "", "messages: { without_headers: { X-A: ' ' } }", "an empty glob fits nothing; write * for a field that is there")]
    [InlineData("", "", "messages: { form: [x] }", "unknown key 'form'; did you mean 'from'?")]
    [InlineData("", "", "messages: { from: [*@example.org] }", "YAML aliases")]
    [InlineData("", "", "folders: { include: [] }", "'include' is empty")]
    [InlineData("", "", "folders: { include: [/a] }", "'/a' fits no folder")]
    [InlineData("", "", "folders: { map: { a//b: c } }", "'a//b' is no folder")]
    [InlineData("", "", "state: backup/alice/state", "the state would lie inside the target")]
    [InlineData("", "", "flags: folow", "'folow' is no value for 'flags'; did you mean 'follow'?")]
    [InlineData("", "", "messages: { with_flags: [sean] }", null)]
    [InlineData("", "", "messages: { with_flags: [\\Sean] }", "'\\Sean' is no flag; did you mean 'seen'?")]
    [InlineData("", "", "deletion_limit: -1", "'-1' is no limit")]
    [InlineData("", "", "messages:", "'messages' has no value")]
    [InlineData("", "", "retry: { attempts: 0 }", "'0' is no number of tries")]
    [InlineData("", "", "retry: { max_delay: 5 minutes }", "'5 minutes' is no length of time for 'max_delay'; write a number with s, m, h or d")]
    [InlineData("", "", "retry: { patience: 5m }", "unknown key 'patience'")]
    [InlineData("", "", "max_duration: 0h", "'0h' is no length of time for 'max_duration'")]
    [InlineData("", "", "limits: {}", "unknown key 'limits'")]
    public void A_contradiction_is_reported(string source, string target, string job, string? message)
    {
        if (message is not null)
            Assert.Contains(Errors(File(Job(source, target, job))), e => e.Contains(message, StringComparison.Ordinal) && e.StartsWith("job.yaml:", StringComparison.Ordinal));
        else
            Assert.NotNull(Read(File(Job(source, target, job))));
    }

    [Fact]
    public void Labels_need_an_account() => Assert.Contains(
        "'labels' is about Gmail", Error("jobs: [{ name: a, source: { url: 'mbox:a' }, target: { url: 'maildir:b' }, labels: folders }]"), StringComparison.Ordinal);

    [Theory]
    [InlineData("mbox:mail", "maildir:mail")]
    [InlineData("mbox:mail", "maildir:mail/backup")]
    [InlineData("maildir:mail/x", "mbox:./mail/../mail")]
    public void Source_and_target_must_not_overlap(string source, string target) => Assert.Contains(
        "source and target overlap",
        Error($"jobs: [{{ name: a, source: {{ url: '{source}' }}, target: {{ url: '{target}' }} }}]"), StringComparison.Ordinal);

    /// <summary>Source and target overlap also if one of them names its directory through symbolic links.</summary>
    [Theory]
    [InlineData("link", "mail")]
    [InlineData("mail", "link/deeper")]
    [InlineData("chain/x", "mail")]
    [InlineData("around/mail/x", "link/x")]
    [InlineData("relative", "mail/not there yet")]
    public void Directories_are_compared_behind_symbolic_links(string source, string target)
    {
        using var directory = new TemporaryDirectory();
        var root = directory.Path;
        System.IO.Directory.CreateDirectory(Path.Combine(root, "mail", "x"));
        System.IO.File.CreateSymbolicLink(Path.Combine(root, "link"), Path.Combine(root, "mail"));
        System.IO.File.CreateSymbolicLink(Path.Combine(root, "chain"), "link");
        System.IO.File.CreateSymbolicLink(Path.Combine(root, "relative"), "mail/../link");
        System.IO.File.CreateSymbolicLink(Path.Combine(root, "around"), ".");
        System.IO.File.CreateSymbolicLink(Path.Combine(root, "loop"), "loop");
        Assert.Contains(
            "source and target overlap",
            Error($"jobs: [{{ name: a, source: {{ url: 'maildir:{root}/{source}' }}, target: {{ url: 'maildir:{root}/{target}' }} }}]"), StringComparison.Ordinal);
        Assert.Contains(
            "writes to the same place",
            Error($"jobs: [{{ name: a, source: {{ url: 'maildir:{root}/loop/a' }}, target: {{ url: 'maildir:{root}/{source}' }} }}, {{ name: b, source: {{ url: 'maildir:{root}/loop/b' }}, target: {{ url: 'mbox:{root}/{target}' }} }}]"),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Two_jobs_must_not_share_a_name_whatever_its_case() =>
        Assert.Contains(Errors(File(Job(), Job(name: "Alice"))), e => e.StartsWith("job.yaml:11:11: the name 'Alice' is taken", StringComparison.Ordinal));

    [Fact]
    public void Two_jobs_must_not_share_a_state_directory() => Assert.Equal(
        "job.yaml:19:12: job 'alice' keeps its state in the same directory; give each job a state directory of its own",
        Error(File(Job(job: "state: s"), Job(job: "state: ./s", name: "bob"))));

    [Fact]
    public void Two_jobs_must_not_share_a_state_directory_but_for_case() => Assert.Contains(
        "job 'alice' keeps its state in the same directory", Error(File(Job(job: "state: s"), Job(job: "state: S", name: "bob"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("maildir:backup/alice")]
    [InlineData("mbox:backup/alice/deeper")]
    [InlineData("maildir:backup")]
    [InlineData("maildir:Backup/ALICE")]
    [InlineData("maildir:Backup/ALICE/deeper")]
    public void Two_jobs_must_not_write_to_one_directory(string target) => Assert.Contains(
        "writes to the same place",
        Error(File(Job(), Job(name: "bob")), $"bob.target.url={target}"), StringComparison.Ordinal);

    [Fact]
    public void Two_jobs_may_fill_different_folders_of_one_account()
    {
        string Target(string name, string map) => $$"""
              - name: {{name}}
                source: { url: "mbox:{{name}}" }
                target: { url: imaps://all@h, password: x }
                folders: { map: { INBOX: {{map}} } }

            """;
        Assert.Equal(2, Read(File(Target("a", "A"), Target("b", "B"))).Jobs.Length);
        Assert.Contains("writes to the same place", Error(File(Target("a", "A"), Target("b", "A"))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("abcd")]
    [InlineData("SHA1:00")]
    [InlineData("gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg")]
    public void A_fingerprint_that_pins_nothing_is_refused(string fingerprint) => Assert.Contains(
        "this is no SHA-256 fingerprint; write its 64 hexadecimal digits", Error(File(Job($"tls_fingerprint: '{fingerprint}'"))), StringComparison.Ordinal);

    [Theory]
    [InlineData("../x")]
    [InlineData(".hidden")]
    [InlineData("a b")]
    [InlineData("-x")]
    [InlineData("a/b")]
    public void A_name_that_is_no_good_for_a_directory_or_a_shell_is_refused(string name) => Assert.Contains(
        "this is no name for a job",
        Error($"jobs: [{{ name: '{name}', source: {{ url: 'mbox:a' }}, target: {{ url: 'maildir:b' }} }}]"), StringComparison.Ordinal);

    [Theory]
    [InlineData("", "job.yaml:1:1: this is not valid YAML: the file is empty")]
    [InlineData("jobs:", "job.yaml:1:1: 'jobs' has no value")]
    [InlineData("jobs: []", "job.yaml:1:7: 'jobs' is empty")]
    [InlineData("- a", "job.yaml:1:1: this is not valid YAML: a job file starts with 'jobs:'")]
    [InlineData("jobs: [x]", "job.yaml:1:8: an entry of 'jobs' must be a section of keys")]
    [InlineData("jobs: [x", "job.yaml:")]
    [InlineData("job: [x]", "job.yaml:1:1: unknown key 'job'; did you mean 'jobs'?")]
    [InlineData("jobs: &a [*a]", "job.yaml:1:11: this is not valid YAML: YAML aliases (*name) are not supported")]
    [InlineData("jobs: [{}]", "job.yaml:1:8: 'name' is missing here")]
    [InlineData("jobs: []\n---\njobs: []", "job.yaml:2:1: this is not valid YAML: a job file holds one YAML document")]
    public void A_file_of_the_wrong_shape_is_reported_where_it_is_wrong(string text, string error) =>
        Assert.StartsWith(error, Errors(text)[0], StringComparison.Ordinal);
}
