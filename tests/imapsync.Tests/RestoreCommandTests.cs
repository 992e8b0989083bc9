using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine.Tests;

/// <summary>The command <c>imapsync restore</c>: the job that it makes from a backup's job.</summary>
public sealed class RestoreCommandTests : CommandLineFixture
{
    private JobDefinition? ran;

    public RestoreCommandTests() => RunJob = (job, _, _, _, _) =>
    {
        ran = job;
        return Task.FromResult(Reports.Of(job.Name));
    };

    [Fact]
    public async Task It_runs_the_job_backwards()
    {
        Assert.Equal(0, await InvokeAsync("restore", JobFile, "alice", "--folder", "A/**", "--since", "2024-01-01", "--message-id", " <x@y> "));
        Assert.Equal(new MaildirEndpoint(Path.Combine(Directory, "backup/alice")), ran!.Source);
        Assert.Equal("alice", Assert.IsType<ImapEndpoint>(ran.Target).User);
        Assert.Equal((FlagPolicy.Once, DeletionPolicy.Keep), (ran.Flags, ran.Deletions));
        Assert.Equal(["x@y"], ran.Messages.MessageIds);
        Assert.Equal(["A/**"], ran.Restores!.Folders);
        Assert.StartsWith(ran.Restores.Backup.StateDirectory + "/restore-", ran.StateDirectory, StringComparison.Ordinal);
    }

    [Fact]
    public async Task To_another_place_the_source_and_its_password_are_not_needed()
    {
        var file = Write("lost.yaml", """
            jobs:
              - name: lost
                source: { url: imaps://a@gone.example, password_env: NOT_SET }
                target: { url: "maildir:backup" }
            """);
        Assert.Equal(2, await InvokeAsync("restore", file, "lost"));
        Assert.Equal(0, await InvokeAsync("restore", file, "lost", "--to", "imap://b@new.example", "--to-password-env", "ALICE_PASSWORD", "--to-tls", "none"));
        Assert.Equal(("b", TlsMode.None), (Assert.IsType<ImapEndpoint>(ran!.Target).User, ((ImapEndpoint)ran.Target).Tls));
        var first = ran.StateDirectory;
        Assert.Equal(0, await InvokeAsync("restore", file, "lost", "--to", "maildir:/elsewhere"));
        Assert.NotEqual(first, ran.StateDirectory);
    }

    [Theory]
    [InlineData("--to: it overlaps with the backup", "--to", "maildir:{0}/backup/alice/below")]
    [InlineData("--to: it overlaps with the job's state", "--to", "mbox:{0}/state/alice/pairs", "--state", "{0}/state")]
    [InlineData("--since: 'yesterday' is no date", "--since", "yesterday")]
    [InlineData("--before: it is not after --since", "--since", "2024-01-02", "--before", "2024-01-01")]
    [InlineData("--message-id: this is no Message-ID", "--message-id", "<>")]
    [InlineData("give --to as well", "--to-password-env", "X")]
    [InlineData("--to: the URL holds a password", "--to", "imaps://a:hunter2-and-more@b")]
    public async Task What_is_wrong_is_named_before_anything_is_done(string expected, params string[] options)
    {
        Assert.Equal(2, await InvokeAsync(["restore", JobFile, "alice", .. options.Select(o => o.Replace("{0}", Directory, StringComparison.Ordinal))]));
        Assert.Contains(expected, Error, StringComparison.Ordinal);
        Assert.DoesNotContain(Password, Error, StringComparison.Ordinal);
        Assert.Null(ran);
    }
}
