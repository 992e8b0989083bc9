using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>The cost of a run that finds nothing new.</summary>
public sealed class IdleRunTests
{
    /// <summary>
    /// The number of lines that a client sends if it asks for nothing twice: three for SCRAM, then ID, NAMESPACE, LIST, LOGOUT and the
    /// like.
    /// </summary>
    private const int FewLines = 9;

    private const string NoListStatus = "IMAP4rev1 SASL-IR LITERAL+ NAMESPACE UIDPLUS LIST-EXTENDED SPECIAL-USE ENABLE CONDSTORE";

    [Fact]
    public async Task With_LIST_STATUS_neither_side_is_asked_about_any_folder()
    {
        await using var lab = await MigrationLab.StartAsync(ManyFolders(300));
        await lab.SucceedAsync();
        // The second run still records what the first one changed at the target. Like most nightly runs, the third has nothing to do.
        await lab.SucceedAsync();
        lab.Forget();

        var idle = await lab.SucceedAsync();

        Assert.Equal(300, idle.Total("already_present"));
        foreach (var line in (FaultProxy[])[lab.Job.Line, lab.TargetLine])
        {
            var said = line.Connections.SelectMany(c => c.Commands).ToList();
            Assert.True(said.Count <= FewLines, string.Join('\n', said));
            Assert.Single(line.Connections);
        }
    }

    [Fact]
    public async Task Without_LIST_STATUS_each_folder_costs_one_STATUS_on_one_connection()
    {
        var options = new DovecotOptions { Capability = NoListStatus };
        await using var lab = await MigrationLab.WithDovecotAsync(await BackupLab.StartAsync(ManyFolders(60), options), options);
        await lab.SucceedAsync();
        await lab.SucceedAsync();
        lab.Forget();

        var idle = await lab.SucceedAsync();

        Assert.Equal(60, idle.Total("already_present"));
        Assert.Empty(lab.FoldersOpened);
        foreach (var line in (FaultProxy[])[lab.Job.Line, lab.TargetLine])
        {
            Assert.Equal(60, line.Commands.Count(c => c.StartsWith("STATUS", StringComparison.Ordinal)));
            Assert.Single(line.Connections);
        }
    }

    [Fact]
    public async Task A_journal_that_nothing_is_new_for_is_not_read()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 200 });
        await lab.SucceedAsync();
        var journals = Directory.GetFiles(lab.StateDirectory, "*", SearchOption.AllDirectories)
            .Where(f => File.ReadAllText(f).StartsWith("imapsync-journal", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(journals);
        // Make these journals invalid. A run that reads one of them reports that it is damaged.
        foreach (var journal in journals)
            await File.WriteAllTextAsync(journal, "no journal\n");

        var idle = await lab.SucceedAsync();

        Assert.Equal(200, idle.Total("already_present"));
        Assert.All(journals, j => Assert.Equal("no journal\n", File.ReadAllText(j)));
    }

    private static Action<MaildirWriter> ManyFolders(int count) => mailbox =>
    {
        for (var i = 0; i < count; i++)
            mailbox.Add(i == 0 ? "INBOX" : $"Folder {i:d4}", MailGenerator.Message(i), MailGenerator.Date(i), "S");
    };
}
