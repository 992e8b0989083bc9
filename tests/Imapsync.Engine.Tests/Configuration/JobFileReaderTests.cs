using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class JobFileReaderTests : JobFileFixture
{
    [Fact]
    public void The_example_of_the_design_becomes_a_job()
    {
        var job = Read("""
            jobs:
              - name: alice
                source:
                  url: imaps://alice@imap.example.com        # a comment
                  password_env: ALICE_PASSWORD
                target:
                  url: maildir:/var/backups/mail/alice
                folders:
                  include: ["**"]
                  exclude: ["Junk", "Lists/**"]
                  map: { "Sent Items": "Sent", "sent items": Other, "a:b": c }
                messages: { since: 2020-01-01, max_size: 50MB, with_flags: [flagged, $Work], without_flags: ["\\Deleted"] }
                flags: exact
                labels: keywords
                deletions: trash
                deletion_limit: 7.5%
                trash_folder: Gone/For good
                repair: true
                state: ./state/alice
            """).Jobs.Single();

        Assert.Equal("alice", job.Name);
        var source = Assert.IsType<ImapEndpoint>(job.Source);
        Assert.Equal(("imap.example.com", 993, TlsMode.Implicit, "alice"), (source.Host, source.Port, source.Tls, source.User));
        Assert.Equal(new MaildirEndpoint("/var/backups/mail/alice"), job.Target);
        Assert.Equal(["**"], job.Folders.Include);
        Assert.Equal(["Junk", "Lists/**"], job.Folders.Exclude);
        Assert.Equal(3, job.Folders.Map.Count);
        Assert.Equal(new FolderPath("Other"), job.Folders.Map[new FolderPath("sent items")]);
        Assert.Equal(new FolderPath("c"), job.Folders.Map[new FolderPath("a:b")]);
        Assert.Equal(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), job.Messages.Since);
        Assert.Equal(50_000_000, job.Messages.MaxSizeBytes);
        Assert.Equal(FlagSet.Parse(["\\Flagged", "$Work"]), job.Messages.WithFlags);
        Assert.Equal(FlagSet.Parse(["\\Deleted"]), job.Messages.WithoutFlags);
        Assert.Equal((FlagPolicy.Exact, DeletionPolicy.Trash, new DeletionLimit(7.5, true)), (job.Flags, job.Deletions, job.DeletionLimit));
        Assert.Equal(LabelPolicy.Keywords, job.Labels);
        Assert.Equal(new FolderPath("Gone", "For good"), job.TrashFolder);
        Assert.True(job.Repair);
        Assert.Equal(Path.Combine(Directory, "state/alice"), job.StateDirectory);
    }

    [Fact]
    public void What_is_left_out_has_its_default()
    {
        var job = Read(File(Job())).Jobs.Single();
        var plain = new JobDefinition(job.Name, job.Source, job.Target) { StateDirectory = job.StateDirectory };
        Assert.Equal((plain.Flags, plain.Deletions, plain.DeletionLimit, plain.TrashFolder), (job.Flags, job.Deletions, job.DeletionLimit, job.TrashFolder));
        Assert.Equal(plain.Messages, job.Messages);
        Assert.False(job.Repair);
        Assert.Equal(plain.Folders.Include, job.Folders.Include);
        Assert.Equal(4, ((ImapEndpoint)job.Source).Connections);
        Assert.Equal(new MaildirEndpoint(Path.Combine(Directory, "backup/alice")), job.Target);
        Assert.StartsWith("/home/alice/.local/state/imapsync/alice-", job.StateDirectory, StringComparison.Ordinal);
    }

    [Fact]
    public void The_state_root_of_the_command_line_beats_the_file()
    {
        var file = Read(File(Job(job: "state: here")), new JobFileOptions { Environment = Environment, StateRoot = "/states" });
        Assert.Equal("/states/alice", file.Jobs[0].StateDirectory);
    }

    [Fact]
    public void Two_files_with_a_job_of_the_same_name_keep_their_states_apart()
    {
        var options = new JobFileOptions { Environment = Environment };
        var one = JobFileReader.Parse("/a/job.yaml", File(Job()), options).Jobs[0].StateDirectory;
        var other = JobFileReader.Parse("/b/job.yaml", File(Job()), options).Jobs[0].StateDirectory;
        Assert.NotEqual(one, other);
    }

    [Theory]
    [InlineData("imaps://alice@h.example", "alice", "h.example", 993, TlsMode.Implicit)]
    [InlineData("imap://alice@h.example/", "alice", "h.example", 143, TlsMode.StartTls)]
    [InlineData("IMAPS://alice%40example.org@h:1993", "alice@example.org", "h", 1993, TlsMode.Implicit)]
    [InlineData("imaps://alice@example.org@h", "alice@example.org", "h", 993, TlsMode.Implicit)]
    [InlineData("imaps://dom%3Aus%2Fer%25@[::1]:993", "dom:us/er%", "::1", 993, TlsMode.Implicit)]
    [InlineData("imaps://jos%C3%A9@bücher.example", "josé", "xn--bcher-kva.example", 993, TlsMode.Implicit)]
    public void A_URL_is_taken_apart(string url, string user, string host, int port, TlsMode tls)
    {
        var source = Source(Read(File(Job()), $"alice.source.url={url}"));
        Assert.Equal((user, host, port, tls), (source.User, source.Host, source.Port, source.Tls));
    }

    [Fact]
    public void A_URL_without_a_user_is_one_mistake_and_not_also_a_missing_password() =>
        Assert.Contains("the URL names no user", Assert.Single(Errors("jobs: [{ name: a, source: { url: 'imaps://h' }, target: { url: 'maildir:b' } }]")), StringComparison.Ordinal);

    [Theory]
    [InlineData("imaps://alice:hunter2@h", "the URL holds a password")]
    [InlineData("imaps://:hunter2@h", "the URL holds a password")]
    [InlineData("imaps://alice:hunter2", "the URL's port is no number")]
    [InlineData("imaps:alice@h", "'//' is missing")]
    [InlineData("imaps://h", "the URL names no user")]
    [InlineData("imaps://alice@", "the URL's host is no host name")]
    [InlineData("imaps://alice@h:0", "the URL's port is no number")]
    [InlineData("imaps://alice@h:99999", "the URL's port is no number")]
    [InlineData("imaps://alice@h/INBOX", "the URL names more than a host")]
    [InlineData("imaps://al%0Aice@h", "the URL's user is not well encoded")]
    [InlineData("imaps://100%@h", "the URL's user is not well encoded")]
    [InlineData("imaps://alice;AUTH=PLAIN@h", "the URL's user holds a character")]
    [InlineData("nntp://alice@h", "this is no URL of a store")]
    [InlineData("maildri:/x", "this is no URL of a store; did you mean 'maildir:'?")]
    [InlineData("just text", "this is no URL of a store")]
    public void A_bad_URL_is_refused_and_not_repeated(string url, string message)
    {
        var error = Error(File(Job()), $"alice.source.url={url}");
        Assert.StartsWith($"--set alice.source.url: {message}", error, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("maildir://host/x", "a maildir: URL names no host")]
    [InlineData("mbox:", "this is no path")]
    public void A_bad_local_URL_is_refused(string url, string message) =>
        Assert.StartsWith($"--set alice.target.url: {message}", Error(File(Job()), $"alice.target.url={url}"), StringComparison.Ordinal);

    [Theory]
    [InlineData("maildir:~/Mail", "/home/alice/Mail")]
    [InlineData("maildir:///srv/mail/", "/srv/mail")]
    [InlineData("maildir:/srv/../mail", "/mail")]
    public void A_local_path_is_made_absolute(string url, string directory) =>
        Assert.Equal(new MaildirEndpoint(directory), Read(File(Job()), $"alice.target.url={url}").Jobs[0].Target);

    [Fact]
    public void Endpoint_settings_are_read()
    {
        var pin = string.Join(':', Enumerable.Repeat("aB", 32));
        var source = Source(Read(File(Job($"tls_fingerprint: \"{pin}\"")), "alice.source.auth=digest-md5", "alice.source.authorize_as=bob", "alice.source.connections=7"));
        Assert.Equal((AuthMechanism.DigestMd5, "bob", 7, string.Concat(Enumerable.Repeat("AB", 32))), (source.Auth, source.AuthorizeAs, source.Connections, source.TlsFingerprint));
        Assert.Equal(MaildirLayout.Fs, ((MaildirEndpoint)Read(File(Job(target: "layout: fs"))).Jobs[0].Target).Layout);
    }

    [Fact]
    public void Clear_text_needs_an_explicit_word()
    {
        Assert.Equal(TlsMode.StartTls, Source(Read(File(Job()), "alice.source.url=imap://alice@h")).Tls);
        Assert.Equal(TlsMode.None, Source(Read(File(Job("tls: none")), "alice.source.url=imap://alice@h")).Tls);
        Assert.Contains("'tls: none' contradicts an imaps: URL", Error(File(Job("tls: none"))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_CA_file_must_hold_certificates()
    {
        System.IO.File.WriteAllText(Path.Combine(Directory, "ca.pem"), "nothing");
        Assert.StartsWith("job.yaml:6:20: ca.pem holds no certificate", Error(File(Job("tls_ca_file: ca.pem"))), StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_certificate_needs_its_key_and_a_key_its_certificate()
    {
        System.IO.File.WriteAllText(Path.Combine(Directory, "client.pem"), "nothing");
        Assert.Contains("client.pem does not hold a certificate and its key", Error(File(Job("tls_client_certificate: client.pem"))), StringComparison.Ordinal);
        Assert.Contains("'tls_client_key' is given without 'tls_client_certificate'", Error(File(Job("tls_client_key: client.pem"))), StringComparison.Ordinal);
        Assert.Contains("missing.pem can't be read", Error(File(Job("tls_client_certificate: missing.pem"))), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_the_jobs_asked_for_are_given_and_only_their_secrets_must_be_there()
    {
        Environment.Remove("ALICE_PASSWORD");
        var text = File(Job(), Job("password: x", name: "bob"));
        var file = Read(text, new JobFileOptions { Environment = Environment, Jobs = ["bob"] });
        Assert.Equal("bob", Assert.Single(file.Jobs).Name);
        Assert.Contains("environment variable ALICE_PASSWORD is not set", Error(File(Job())), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("password_env: NOT_SET", "environment variable NOT_SET is not set")]
    [InlineData("password_file: missing", "there is no such file")]
    [InlineData("password_command: exit 4", "exit status 4")]
    public async Task What_one_job_lacks_is_told_in_its_turn_and_stops_no_other(string password, string told)
    {
        var jobs = Read(File(Job(password), Job("password: x", name: "bob"))).Jobs;
        Assert.Equal(["alice", "bob"], jobs.Select(j => j.Name));
        var failure = await Assert.ThrowsAsync<MailException>(async () => await ((ImapEndpoint)jobs[0].Source).Password!.ReadAsync(TestContext.Current.CancellationToken));
        Assert.Equal((FailureKind.Configuration, false), (failure.Kind, failure.IsTransient));
        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_job_that_is_not_there_is_named_with_the_nearest()
    {
        var e = Assert.Throws<ConfigurationException>(() => Read(File(Job()), new JobFileOptions { Environment = Environment, Jobs = ["alcie"] }));
        Assert.EndsWith("there is no job 'alcie' in this file; did you mean 'alice'?", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_cannot_be_read_is_a_configuration_error()
    {
        Assert.Throws<ConfigurationException>(() => JobFileReader.Read(Path.Combine(Directory, "none.yaml"), new JobFileOptions()));
        Assert.Throws<ConfigurationException>(() => JobFileReader.Read(Directory, new JobFileOptions()));
        var binary = Path.Combine(Directory, "binary.yaml");
        System.IO.File.WriteAllBytes(binary, [0x6A, 0xFF, 0xFE]);
        Assert.Contains("not UTF-8", Assert.Throws<ConfigurationException>(() => JobFileReader.Read(binary, new JobFileOptions())).Message, StringComparison.Ordinal);
    }
}
