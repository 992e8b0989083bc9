using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Changes at the source between two runs reach the target, and nothing else is touched.</summary>
public sealed class IncrementalTests
{
    /// <summary>The capabilities of a plain IMAP4rev1 server: no CONDSTORE, no LIST-STATUS, no LITERAL+.</summary>
    private const string Plain = "IMAP4rev1 SASL-IR UIDPLUS NAMESPACE";

    public static TheoryData<string> Capabilities => ["", Plain, "IMAP4rev1", Plain + " LIST-EXTENDED SPECIAL-USE CONDSTORE ENABLE"];

    private static Task<BackupLab> LabAsync(string capability) =>
        BackupLab.StartAsync(new MailboxPlan { Messages = 200 }, new DovecotOptions { Capability = capability.Length == 0 ? null : capability });

    [Theory]
    [MemberData(nameof(Capabilities))]
    public async Task New_mail_alone_is_copied(string capability)
    {
        await using var lab = await LabAsync(capability);
        await lab.SucceedAsync();
        await using (var probe = await lab.ConnectAsync())
        {
            await probe.AppendAsync("INBOX", MailGenerator.Message(1001), "\\Flagged todo", MailGenerator.Date(1001));
            await probe.AppendAsync("Work/Invoices", MailGenerator.Message(1002));
        }

        var second = await lab.SucceedAsync();

        Assert.Equal(2, second.Total("copied"));
        Assert.Equal(200, second.Total("already_present"));
        second.AddsUp();
        await lab.TargetEqualsSourceAsync();
    }

    [Theory]
    [MemberData(nameof(Capabilities))]
    public async Task Changed_flags_and_keywords_follow(string capability)
    {
        await using var lab = await LabAsync(capability);
        await lab.SucceedAsync();
        await using (var probe = await lab.ConnectAsync())
        {
            await probe.CommandAsync("SELECT INBOX");
            await probe.CommandAsync("UID STORE 1 FLAGS (\\Seen \\Answered $Label1 brand-new-keyword)");
            await probe.CommandAsync("UID STORE 2 FLAGS ()");
            await probe.CommandAsync("UID STORE 3:5 +FLAGS (\\Flagged)");
        }

        await lab.SucceedAsync();

        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task A_flag_changed_at_the_target_stays()
    {
        await using var lab = await BackupLab.StartAsync(mailbox => mailbox.Add("INBOX", MailGenerator.Message(1), MailGenerator.Date(1)));
        await lab.SucceedAsync();
        var file = Directory.EnumerateFiles(lab.TargetDirectory, "*", SearchOption.AllDirectories)
            .Single(f => Path.GetFileName(Path.GetDirectoryName(f)) is "cur" or "new");
        var name = Path.GetFileName(file).Split(":2,")[0];
        File.Move(file, Path.Combine(lab.TargetDirectory, "cur", name + ":2,F"));
        await using (var probe = await lab.ConnectAsync())
        {
            await probe.CommandAsync("SELECT INBOX");
            await probe.CommandAsync("STORE 1 +FLAGS (\\Seen)");
        }

        var second = await lab.SucceedAsync();

        var message = Assert.Single(MaildirReader.Read(lab.TargetDirectory).Folders["INBOX"].Messages);
        Assert.Equal("\\Flagged \\Seen", message.Flags);
        Assert.Equal(0, second.Total("copied"));
    }

    [Fact]
    public async Task New_and_renamed_folders_arrive()
    {
        await using var lab = await LabAsync("");
        await lab.SucceedAsync();
        await using (var probe = await lab.ConnectAsync())
        {
            await probe.CommandAsync($"CREATE {ImapProbe.Quote("Neue Ordner/日本")}");
            await probe.CommandAsync($"SUBSCRIBE {ImapProbe.Quote("Neue Ordner/日本")}");
            await probe.AppendAsync("Neue Ordner/日本", MailGenerator.Message(2001));
            await probe.CommandAsync("RENAME Lists/dotnet Lists/csharp");
        }

        await lab.SucceedAsync();

        // The old folder Lists/dotnet may remain in the backup, because by default nothing is deleted there.
        BackupLab.Same(await lab.SourceAsync(), MaildirReader.Read(lab.TargetDirectory).Without("Lists/dotnet"));
    }

    [Fact]
    public async Task A_dry_run_tells_and_changes_nothing()
    {
        await using var lab = await LabAsync("");
        var dry = await lab.SucceedAsync("--dry-run");

        Assert.Equal(200, dry.Total("copied"));
        Assert.False(Directory.Exists(lab.TargetDirectory) && Directory.EnumerateFiles(lab.TargetDirectory, "*", SearchOption.AllDirectories).Any());

        var real = await lab.SucceedAsync();
        Assert.Equal(200, real.Total("copied"));
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task The_source_is_left_as_it_was()
    {
        await using var lab = await LabAsync("");
        var before = await lab.SourceAsync();
        await lab.SucceedAsync();
        BackupLab.Same(before, await lab.SourceAsync());
    }
}
