using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary><c>imapsync init</c> with a real Dovecot: before a real terminal, and without one.</summary>
public sealed class InitTests
{
    private const string Password = "Tr0ub4dor-and-3-unlikely-words";

    [Fact]
    public async Task From_an_address_to_a_verified_backup_in_under_ten_answers()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 60 }, new DovecotOptions { Password = Password });
        var home = lab.Dir.Create("home");
        await using var terminal = TerminalProcess.Start(home, "init");
        (string Question, string Answer)[] dialogue =
        [
            ("Address of the mailbox", "alice@localhost"),
            ("IMAP server", $"imaps://localhost:{lab.Server.TlsPort}"),
            ("to be trusted from now on?", "yes"),
            ("Password for", Password),
            ("Where to:", "mail"),
            ("Folders to leave out", ""),
            ("Job file", ""),
            ("Run it every day", "cron"),
            ("Copy everything now?", ""),
        ];
        Assert.InRange(dialogue.Length, 1, 9);
        foreach (var (question, answer) in dialogue)
        {
            await terminal.SeesAsync(question);
            await terminal.SeesAsync(": ");
            await terminal.TypeAsync(answer);
        }

        var status = await terminal.WaitAsync();
        Assert.True(status == 0, terminal.Screen);
        TestContext.Current.TestOutputHelper?.WriteLine(terminal.Screen);
        Assert.DoesNotContain(Password, terminal.Screen, StringComparison.Ordinal);
    }
}
