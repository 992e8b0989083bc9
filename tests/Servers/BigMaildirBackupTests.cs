using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>One backup of the big mailbox into a Maildir, shared by tests that each check another property of it.</summary>
public sealed class BigMaildirBackup(BigMailbox mailbox) : IAsyncLifetime
{
    public BigMailbox.Content Source { get; private set; } = null!;

    public BackupLab Lab { get; private set; } = null!;

    public RunOutcome First { get; private set; } = null!;

    /// <summary>The number of round trips of the first run: how often the client sent data after the server had.</summary>
    public int FirstTurns { get; private set; }

    public async ValueTask InitializeAsync()
    {
        Source = await mailbox.ReadyAsync();
        Lab = BackupLab.On(Source.Server);
        First = await Lab.SucceedAsync();
        FirstTurns = Lab.Line.Connections.Sum(c => c.Turns);
    }

    public ValueTask DisposeAsync() => Lab.DisposeAsync();
}

public sealed class BigMaildirBackupTests(BigMaildirBackup backup) : IClassFixture<BigMaildirBackup>
{
    [Fact]
    public void Octets_flags_keywords_dates_and_subscriptions_of_20_000_messages_arrive()
    {
        BackupLab.Same(backup.Source.Expected, MaildirReader.Read(backup.Lab.TargetDirectory));
        Assert.Empty(MaildirReader.TemporaryFiles(backup.Lab.TargetDirectory));
    }

    [Fact]
    public void The_report_accounts_for_every_message()
    {
        Assert.Equal(backup.Source.Expected.MessageCount, backup.First.Total("source_messages"));
        Assert.Equal(backup.Source.Expected.MessageCount, backup.First.Total("copied"));
        Assert.Equal(backup.Source.Expected.Folders.Count, backup.First.Total("folders"));
        Assert.Equal("ok", backup.First.Outcome);
        backup.First.AddsUp();
    }

    [Fact]
    public async Task A_Dovecot_that_serves_the_Maildir_shows_the_same_mailbox() =>
        BackupLab.Same(backup.Source.Expected, await backup.Lab.ServeAsync(backup.Lab.TargetDirectory));

    [Fact]
    public async Task A_second_run_copies_nothing_and_opens_no_folder()
    {
        backup.Lab.Line.Forget();
        var second = await backup.Lab.SucceedAsync();

        Assert.Equal(0, second.Total("copied"));
        Assert.Equal(backup.Source.Expected.MessageCount, second.Total("already_present"));
        second.AddsUp();
        var opened = backup.Lab.Line.Commands.Where(c => c.StartsWith("SELECT", StringComparison.OrdinalIgnoreCase)
            || c.StartsWith("EXAMINE", StringComparison.OrdinalIgnoreCase) || c.Contains("FETCH", StringComparison.OrdinalIgnoreCase));
        Assert.Empty(opened);
        // One LIST with RETURN (STATUS) reports all folders, so only log-in and log-out need further round trips.
        var turns = backup.Lab.Line.Connections.Sum(c => c.Turns);
        Assert.True(turns <= 10, $"{turns} round trips:\n" + string.Join('\n', backup.Lab.Line.Commands));
    }

    [Fact]
    public async Task Ten_times_as_many_messages_need_little_more_memory()
    {
        await using var tenth = await BackupLab.StartAsync(new MailboxPlan { Messages = BigMailbox.Messages / 10, AwkwardMessages = true });
        var baseline = await tenth.SucceedAsync();
        var growth = (backup.First.PeakResidentKiB - baseline.PeakResidentKiB) / 1024;
        Assert.True(growth < 64, $"{baseline.PeakResidentKiB / 1024} MiB for 2,000 messages, {growth} MiB more for 20,000");
    }

    [Fact]
    public void A_first_run_does_not_wait_for_each_message() =>
        // Copying one message at a time would take more than 20,000 round trips.
        Assert.True(backup.FirstTurns < 2000, $"{backup.FirstTurns} round trips");
}
