using Imapsync.Engine.Configuration;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.CommandLine.Tests;

/// <summary>The command <c>imapsync copy</c>: the job that it makes from its options, and the file that it saves.</summary>
public sealed class CopyCommandTests : CommandLineFixture
{
    private static readonly string[] Many =
    [
        "imaps://al%3Aice@imap.example.com", "maildir:/mail/al", "--source-password-env", "ALICE_PASSWORD", "--source-connections", "4",
        "--target-layout", "fs", "--include", "A, b/**", "--include", "\u00fc \"quoted\" \\ {x}: #y", "--exclude", "null", "--map", "Sent Items=Sent", "--map", "a:b=c d",
        "--since", "2020-01-01", "--max-size", "50MB", "--with-flags", "\\Flagged", "--flags", "exact", "--deletions", "trash",
        "--deletion-limit", "5%", "--trash-folder", "Gone/ by", "--set", "source.auth=plain",
    ];

    private JobDefinition? ran;

    public CopyCommandTests() => RunJob = (job, _, _, _, _) =>
    {
        ran = job;
        return Task.FromResult(Reports.Of(job.Name));
    };

    [Fact]
    public async Task Options_say_what_a_job_file_says()
    {
        Assert.Equal(0, await InvokeAsync(["copy", .. Many]));
        var source = Assert.IsType<ImapEndpoint>(ran!.Source);
        Assert.Equal(("al:ice", 4, AuthMechanism.Plain), (source.User, source.Connections, source.Auth));
        Assert.Equal(new MaildirEndpoint("/mail/al", MaildirLayout.Fs), ran.Target);
        Assert.Equal(["A, b/**", "\u00fc \"quoted\" \\ {x}: #y"], ran.Folders.Include);
        Assert.Equal("Sent", ran.Folders.Map[FolderPath.Parse("Sent Items")].ToString());
        Assert.Equal((FlagPolicy.Exact, DeletionPolicy.Trash, new DeletionLimit(5, IsPercent: true)), (ran.Flags, ran.Deletions, ran.DeletionLimit));
    }

    [Fact]
    public async Task A_saved_job_is_the_same_job_and_for_its_owner_only()
    {
        var path = Path.Combine(Directory, "saved.yaml");
        await InvokeAsync(["copy", .. Many, "--save", path]);
        var copied = ran!;
        var text = await File.ReadAllTextAsync(path);
        Assert.DoesNotContain(Password, text, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        var read = JobFileReader.Read(path, new JobFileOptions { Environment = new Dictionary<string, string> { ["ALICE_PASSWORD"] = Password } }).Jobs[0];
        Assert.Equal(Describe(copied), Describe(read));
    }

    [Fact]
    public async Task A_file_that_is_there_is_replaced_by_force_only()
    {
        var path = Write("mine.yaml", "precious");
        string[] line = ["copy", "mbox:a", "maildir:b", "--save", path];
        Assert.Equal(2, await InvokeAsync(line));
        Assert.Contains("--force", Error, StringComparison.Ordinal);
        Assert.Equal("precious", await File.ReadAllTextAsync(path));
        Assert.Null(ran);
        Assert.Equal(0, await InvokeAsync([.. line, "--force"]));
        Assert.StartsWith("# A job of imapsync", await File.ReadAllTextAsync(path), StringComparison.Ordinal);
        Assert.Single(System.IO.Directory.GetFiles(Directory, "mine.yaml*"));
    }

    [Fact]
    public async Task The_same_two_mailboxes_have_the_same_state_and_others_another()
    {
        string[] states = new string[3];
        string[][] lines =
        [
            ["copy", "mbox:/a", "maildir:/b"], ["copy", "mbox:///a/", "maildir:/b", "--flags", "once"], ["copy", "mbox:/a", "maildir:/c"],
        ];
        for (var i = 0; i < lines.Length; i++)
        {
            Assert.Equal(0, await InvokeAsync(lines[i]));
            states[i] = ran!.StateDirectory;
        }

        Assert.Equal(states[0], states[1]);
        Assert.NotEqual(states[0], states[2]);
    }

    [Theory]
    [InlineData("copy", "imaps://al:hunter2-and-more@x.example", "maildir:b")]
    [InlineData("copy", "mbox:a", "imaps://al:hunter2-and-more@x.example")]
    [InlineData("copy", "mbox:a", "maildir:b", "imaps://al:hunter2-and-more@x.example")]
    [InlineData("copy", "mbox:a", "maildir:b", "--set", "source.password=hunter2-and-more")]
    [InlineData("copy", "mbox:a", "maildir:b", "--source-password", "hunter2-and-more")]
    public async Task A_password_on_the_command_line_is_refused_and_not_repeated(params string[] line)
    {
        Assert.Equal(2, await InvokeAsync(line));
        Assert.Null(ran);
        Assert.DoesNotContain(Password, Error + Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--flags", "sometimes", "--flags: 'sometimes' is no value for 'flags'")]
    [InlineData("--since", "yesterday", "--since: 'yesterday' is no date")]
    [InlineData("--map", "Sent", "--map FROM=TO")]
    [InlineData("--set", "soruce.auth=plain", "did you mean 'source'?")]
    public async Task A_wrong_option_is_named(string option, string value, string expected)
    {
        Assert.Equal(2, await InvokeAsync("copy", "mbox:a", "maildir:b", option, value));
        Assert.Contains(expected, Error, StringComparison.Ordinal);
    }

    private static string Describe(JobDefinition job) => string.Join('\n',
        job.Name, job.Source is ImapEndpoint imap ? imap with { Password = null } : job.Source, (job.Source as ImapEndpoint)?.Password, job.Target, job.StateDirectory, job.Flags, job.Deletions, job.DeletionLimit, job.TrashFolder,
        job.Messages.Fingerprint, string.Join('|', job.Folders.Include), string.Join('|', job.Folders.Exclude), string.Join('|', job.Folders.Map.OrderBy(m => m.Key)));
}
