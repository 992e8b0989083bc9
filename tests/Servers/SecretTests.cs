using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.State;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>The password is sent to the server and appears nowhere else.</summary>
public sealed class SecretTests
{
    /// <summary>A password that no quoting changes, so that a search finds it wherever it appears.</summary>
    private const string Password = "Tr0ub4dor-and-3-unlikely-words";

    private const UnixFileMode OthersRights = (UnixFileMode)0b111_111;

    [Theory]
    [InlineData("auto", Password, 0)]
    [InlineData("plain", Password, 0)]
    [InlineData("login", Password, 0)]
    [InlineData("plain", Password + "-wrong", 12)]
    [InlineData("login", Password + "-wrong", 12)]
    public async Task No_password_in_arguments_output_report_or_state(string mechanism, string given, int status)
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 50 }, new DovecotOptions { Password = Password });
        lab.Environment[BackupLab.PasswordVariable] = given;
        lab.Endpoint += $"\n      auth: {mechanism}";
        string? visible = null;
        ImapsyncProcess? running = null;
        lab.Line.CallAfterFromServer(1, () => visible = running?.VisibleCommandLine);
        await using var process = running = lab.Start("--output", "json");
        var outcome = RunOutcome.Read(await process.WaitAsync(), lab.ReportFile);

        Assert.True(outcome.Status == status, outcome.ToString());
        Assert.Contains("imapsync", visible, StringComparison.Ordinal);
        IsAbsent(visible!, "the process list");
        IsAbsent(outcome.Everything, "what it printed and reported");
        foreach (var file in WrittenFiles(lab))
            IsAbsent(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)), file);
    }

    [Theory]
    [InlineData("check", 0, false)]
    [InlineData("folders", 0, false)]
    [InlineData("verify", 0, false)]
    [InlineData("verify --full --output json", 0, false)]
    [InlineData("restore", 0, false)]
    [InlineData("check", 12, true)]
    [InlineData("folders --output json", 12, true)]
    [InlineData("verify", 12, true)]
    public async Task No_command_tells_the_password(string command, int status, bool isWrong)
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 20 }, new DovecotOptions { Password = Password });
        await lab.SucceedAsync();
        lab.Environment[BackupLab.PasswordVariable] = isWrong ? Password + "-wrong" : Password;
        var words = command.Split(' ');
        string[] job = words[0] == "restore" ? ["alice"] : [];
        await using var process = ImapsyncProcess.Start(
            lab.Dir.Create("home"), [words[0], lab.JobFile, .. job, .. words[1..]], lab.Environment);
        var result = await process.WaitAsync();
        Assert.True(result.Status == status, result.ToString());
        IsAbsent(result.ToString(), "what it printed");
        foreach (var file in WrittenFiles(lab))
            IsAbsent(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)), file);
    }

    /// <summary>A password in the job file appears there and nowhere else.</summary>
    [Fact]
    public async Task Not_even_one_that_stands_in_the_job_file_is_passed_on()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 20 }, new DovecotOptions { Password = Password });
        lab.Endpoint = lab.Endpoint.Replace($"password_env: {BackupLab.PasswordVariable}", $"password: {Password}", StringComparison.Ordinal);
        lab.Environment.Clear();
        lab.WriteJob();
        File.SetUnixFileMode(lab.JobFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var outcome = await lab.SucceedAsync("--output", "json");
        IsAbsent(outcome.Everything, "what it printed and reported");
        foreach (var file in WrittenFiles(lab).Where(f => f != lab.JobFile))
            IsAbsent(Encoding.Latin1.GetString(await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)), file);
    }

    [Fact]
    public async Task State_report_and_mail_belong_to_their_owner_alone_whatever_the_umask()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 20 }, new DovecotOptions { Password = Password });
        lab.Through = ["sh", "-c", "umask 000; exec \"$@\"", "sh"];
        foreach (var format in (string[])["maildir", "mbox"])
        {
            lab.StateName = "state-" + format;
            lab.Target = $"{format}:{lab.Dir["mail-" + format]}";
            await lab.SucceedAsync();
            foreach (var top in (string[])[lab.StateDirectory, lab.Dir["mail-" + format], lab.ReportFile])
            {
                Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(top) & OthersRights);
                foreach (var entry in Directory.Exists(top) ? Directory.GetFileSystemEntries(top, "*", SearchOption.AllDirectories) : [])
                    Assert.True((File.GetUnixFileMode(entry) & OthersRights) == UnixFileMode.None, $"{entry}: {File.GetUnixFileMode(entry)}");
            }
        }
    }

    [Fact]
    public async Task A_password_comes_from_a_file_or_a_command_too()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 5 }, new DovecotOptions { Password = Password });
        var url = lab.Endpoint.Split('\n')[0] + "\n      tls: none\n      ";
        lab.Environment.Clear();
        var file = lab.Dir.Write("password", Password + "\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        lab.Endpoint = url + "password_file: " + file;
        await lab.SucceedAsync();
        lab.Endpoint = url + "password_command: cat " + file;
        await lab.SucceedAsync();
    }

    private static IEnumerable<string> WrittenFiles(BackupLab lab) =>
        ((string[])[lab.StateDirectory, lab.TargetDirectory, lab.Dir["home"]]).Where(Directory.Exists)
        .SelectMany(d => Directory.EnumerateFiles(d, "*", SearchOption.AllDirectories)).Append(lab.ReportFile).Append(lab.JobFile).Where(File.Exists);

    private static void IsAbsent(string text, string where)
    {
        // Search also for base64, which is as readable as plain text: the password alone, as LOGIN sends it, and the whole PLAIN response.
        foreach (var form in (string[])[Password, Base64(Password)[..^4], Base64($"\0alice\0{Password}")[..^4]])
            Assert.False(text.Contains(form, StringComparison.OrdinalIgnoreCase), "the password stands in " + where);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
