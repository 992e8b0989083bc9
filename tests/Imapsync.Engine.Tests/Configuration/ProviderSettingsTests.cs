using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Providers;

namespace Imapsync.Engine.Tests.Configuration;

/// <summary>The setting <c>provider:</c> supplies the settings that the job does not contain.</summary>
public sealed class ProviderSettingsTests : JobFileFixture
{
    private static string With(string source, string target = "url: maildir:backup", string job = "") => $$"""
        jobs:
          - name: alice
            source: { {{source}}, password_env: ALICE_PASSWORD }
            target: { {{target}} }
            {{job}}
        """;

    public static TheoryData<string> Hosted => [.. ProviderTable.All.Where(p => p is { Host: not null }).Select(p => p.Name)];

    public static TheoryData<string> Kinds => [.. ProviderTable.All.Where(p => p.Host is null).Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Hosted))]
    public void A_provider_and_a_user_stand_for_a_whole_URL(string name)
    {
        var row = ProviderTable.Find(name)!;
        var pin = row.IsSelfSigned ? $", tls_fingerprint: {new string('a', 64)}" : "";
        var source = Source(Read(With($"provider: {name}, user: 'al/i%ce@example.com'{pin}")));
        Assert.Equal((row.Host, row.Port, "al/i%ce@example.com"), (source.Host, source.Port, source.User));
        Assert.Equal(row.UsesStartTls ? TlsMode.StartTls : TlsMode.Implicit, source.Tls);
        Assert.Equal(row.NeedsOAuth ? AuthMechanism.XOAuth2 : AuthMechanism.Auto, source.Auth);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_kind_of_server_needs_a_URL(string name)
    {
        Assert.Equal("example.com", Source(Read(With($"provider: {name}, url: imaps://a@example.com"))).Host);
        Assert.Contains("and 'url' is missing here; add 'url: imaps://USER@SERVER'", Error(With($"provider: {name}, user: alice")), StringComparison.Ordinal);
    }

    public static TheoryData<string> All => [.. ProviderTable.Names];

    /// <summary>
    /// A POP3 mailbox has no labels and one folder. So the provider's settings for labels and folders must not apply to it.
    /// </summary>
    [Theory]
    [MemberData(nameof(All))]
    public void Any_provider_can_be_named_beside_a_POP3_server(string name)
    {
        var file = Read(With($"provider: {name}, url: pop3s://alice@pop.example.com"));
        Assert.Equal("pop.example.com", ((ServerEndpoint)file.Jobs[0].Source).Host);
        Assert.Empty(file.Jobs[0].Folders.Exclude);
        Assert.Empty(file.Notes);
    }

    [Fact]
    public void What_the_table_says_of_limits_labels_and_folders_holds_where_the_job_says_nothing()
    {
        var job = Read(With("provider: gmail, user: a@gmail.com", "provider: gmail, user: b@gmail.com, password: x")).Jobs[0];
        Assert.Equal((2_250_000_000L, 450_000_000L), (job.Source.Limits.BytesPerDay, job.Target.Limits.BytesPerDay));
        Assert.Equal(LabelPolicy.Keywords, job.Labels);
        Assert.Equal(LabelPolicy.Folders, Read(With("provider: gmail, user: a@gmail.com")).Jobs[0].Labels);
        var office = Read(With("provider: microsoft365, user: a@b.example"));
        Assert.Equal(["Calendar", "Calendar/**", "Contacts", "Contacts/**", "Journal", "Notes", "Tasks", "Tasks/**"], office.Jobs[0].Folders.Exclude);
        Assert.Contains("leaves out Calendar, Calendar/**, Contacts", Assert.Single(office.Notes).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_key_of_the_job_wins()
    {
        var job = Read(With("provider: gmail, url: 'imap://b@example.com:1143', auth: login, limits: { bytes_per_day: 1GB, connections: 2 }", job: "labels: keywords")).Jobs[0];
        var source = Assert.IsType<ImapEndpoint>(job.Source);
        Assert.Equal(("example.com", 1143, "b", AuthMechanism.Login, 2, 1_000_000_000L), (source.Host, source.Port, source.User, source.Auth, source.Connections, source.Limits.BytesPerDay));
        Assert.Equal(LabelPolicy.Keywords, job.Labels);
        var chosen = Read(With("provider: microsoft365, user: a@b.example", job: "folders: { exclude: [Junk] }"));
        Assert.Equal(["Junk"], chosen.Jobs[0].Folders.Exclude);
        Assert.Empty(chosen.Notes);
        Assert.Empty(Read(With("provider: microsoft365, user: a@b.example"), "alice.folders.exclude=").Jobs[0].Folders.Exclude);
        Assert.Equal(7, Source(Read(With("provider: gmail, user: a@gmail.com, connections: 7"))).Connections);
        Assert.Equal(AuthMechanism.Plain, Source(Read(With("provider: outlook, user: a@outlook.com, auth: plain"))).Auth);
    }

    [Fact]
    public void Overrides_win_as_well_and_can_take_a_default_away()
    {
        var text = With("provider: gmail, user: a@gmail.com");
        Assert.Equal(5000, Read(text, "alice.source.limits.bytes_per_day=5000").Jobs[0].Source.Limits.BytesPerDay);
        Assert.Null(Read(text, "alice.source.limits.bytes_per_day=").Jobs[0].Source.Limits.BytesPerDay);
        Assert.Equal("c@gmail.com", Source(Read(text, "alice.source.user=c@gmail.com")).User);
        Assert.Equal("imap.fastmail.com", Source(Read(text, "alice.source.provider=fastmail")).Host);
        Assert.Contains("'url' is missing here", Error(text, "alice.source.provider=", "alice.source.user="), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("provider: gmial, user: a@gmail.com", "'gmial' is no value for 'provider'; did you mean 'gmail'?")]
    [InlineData("provider: gmail", "neither 'user' nor 'url' says who signs in to Gmail and Google Workspace; add 'user: alice@gmail.com'")]
    [InlineData("provider: icloud", "neither 'user' nor 'url' says who signs in to iCloud Mail; add 'user: alice'")]
    [InlineData("provider: gmail, user: a@gmail.com, url: imaps://b@imap.gmail.com", "'user' contradicts 'url' at job.yaml:3:51; remove one of them")]
    [InlineData("url: imaps://b@example.com, user: b", "'user' says where the mail is only beside 'provider'; add 'provider: gmail'")]
    [InlineData("provider: proton-bridge, user: a@proton.me", "nothing says which one is good; add 'tls_fingerprint: '")]
    [InlineData("provider: gmail, user: \"a\\x1b@gmail.com\"", "the URL's user is not well encoded")]
    public void A_mistake_is_told_once_with_its_cure(string source, string expected) => Assert.Contains(expected, Error(With(source)), StringComparison.Ordinal);

    [Fact]
    public void A_directory_has_no_provider() =>
        Assert.Equal("job.yaml:4:36: 'provider' means nothing to a maildir: store; remove it", Error(With("url: imaps://a@example.com", "url: maildir:backup, provider: gmail")));

    [Fact]
    public void A_job_that_is_saved_keeps_the_provider_and_not_what_follows_from_it()
    {
        GivenSetting[] given =
        [
            new("copy", ["name"], "copy"), new("SOURCE_URL", ["source", "url"], "imaps://a@gmail.com@imap.gmail.com"), new("--source-provider", ["source", "provider"], "gmail"),
            new("--source-password-env", ["source", "password_env"], "ALICE_PASSWORD"), new("TARGET_URL", ["target", "url"], "maildir:backup"),
        ];
        var composed = JobFileReader.Compose(Directory, given, new JobFileOptions { Environment = Environment });
        Assert.Contains("provider: gmail", composed.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("bytes_per_day", composed.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("labels", composed.Text, StringComparison.Ordinal);
        Assert.Equal(2_250_000_000L, composed.File.Jobs[0].Source.Limits.BytesPerDay);
        Assert.Equal(composed.File.Jobs[0].Source.Limits, Read(composed.Text).Jobs[0].Source.Limits);
    }
}
