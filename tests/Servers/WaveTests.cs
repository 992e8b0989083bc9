using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// A migration in waves: recent mail is copied first. Until the cut-over the source's flags win; afterwards, flags changed at the target
/// stay.
/// </summary>
public sealed class WaveTests
{
    private const int Messages = 1800;

    [Fact]
    public async Task The_newest_mail_is_there_first_and_kills_in_the_middle_lose_and_double_nothing()
    {
        await using var lab = await MigrationLab.StartAsync(mailbox =>
        {
            for (var i = 0; i < Messages; i++)
                mailbox.Add("INBOX", MailGenerator.Message(i), MailGenerator.Date(i));
        });
        lab.Job.Rules = "newest_first: true";
        var before = 0;
        foreach (var octets in (int[])[400_000, 600_000, 100_000, 500_000])
        {
            lab.Forget();
            await using var process = lab.Job.Start();
            lab.TargetLine.CallAfterFromClient(octets, process.Kill);
            await process.WaitAsync();
            await lab.TargetLine.SettledAsync();
            var there = await DatesAsync(lab);
            Assert.InRange(there.Count, before, Messages);
            before = there.Count;
            // Messages are copied in batches of 500, the newest batch first. So the target has the newest batches, the last perhaps in
            // part, and nothing older.
            var parts = (there.Count + 499) / 500;
            Assert.All(there, d => Assert.True(d >= MailGenerator.Date(Math.Max(0, Messages - (parts * 500))), $"{d} among {there.Count}"));
        }

        Assert.InRange(before, 1, Messages - 1);
        var last = await lab.SucceedAsync();
        last.AddsUp();
        await lab.TargetEqualsSourceAsync();
        // Mail that is delivered later is copied as well, although the existing mail was copied newest first.
        await using (var source = await lab.Job.ConnectAsync())
            await source.AppendAsync("INBOX", MailGenerator.Message(Messages + 1), "", MailGenerator.Date(Messages + 1));
        Assert.Equal(1, (await lab.SucceedAsync()).Total("copied"));
        await lab.TargetEqualsSourceAsync();
    }

    [Fact]
    public async Task Until_the_cutover_the_sources_flags_win_and_then_what_was_changed_at_the_target_stays()
    {
        await using var lab = await MigrationLab.StartAsync(mailbox =>
        {
            for (var i = 0; i < 6; i++)
                mailbox.Add("INBOX", MailGenerator.Message(i), MailGenerator.Date(i), "F");
        });
        lab.Job.Rules = "stage: pre-sync";
        await lab.SucceedAsync();
        await StoreAsync(lab, "UID STORE 2 +FLAGS (\\Answered)", "UID STORE 1 +FLAGS (\\Seen)");
        lab.Job.Rules = "stage: final\ncutover: 2999-01-01";
        await lab.SucceedAsync();
        Assert.Equal(["\\Flagged", "\\Answered \\Flagged", "\\Flagged"], (await FlagsAsync(lab)).Take(3));

        // Message 3 changes at the target only, 4 at the source only, 5 on both sides differently.
        await StoreAsync(lab, "UID STORE 4:5 +FLAGS (\\Answered)", "UID STORE 3 -FLAGS (\\Flagged)", "UID STORE 5 +FLAGS (\\Seen)");
        lab.Job.Rules = "stage: final\ncutover: 2001-01-01T12:00+01:00";
        for (var run = 1; run <= 2; run++)
        {
            await lab.SucceedAsync();
            Assert.Equal(["\\Flagged", "\\Answered \\Flagged", "", "\\Answered \\Flagged", "\\Flagged \\Seen", "\\Flagged"], await FlagsAsync(lab));
        }

        // Later changes at the source still reach the target, except for message 5, which was changed at the target.
        await StoreAsync(lab, "UID STORE 5:6 +FLAGS (\\Deleted)");
        await lab.SucceedAsync();
        Assert.Equal(["\\Flagged \\Seen", "\\Deleted \\Flagged"], (await FlagsAsync(lab)).Skip(4));
        Assert.Equal(0, (await lab.Job.VerifyAsync()).Status);
    }

    /// <param name="source">A command for the source.</param> <param name="target">Commands for the target.</param>
    private static async Task StoreAsync(MigrationLab lab, string source, params string[] target)
    {
        await using var here = await lab.Job.ConnectAsync();
        await using var there = await lab.ConnectAsync();
        await here.CommandAsync("SELECT INBOX");
        await there.CommandAsync("SELECT INBOX");
        await here.CommandAsync(source);
        foreach (var command in target)
            await there.CommandAsync(command);
    }

    private static async Task<IReadOnlyList<string>> FlagsAsync(MigrationLab lab)
    {
        await using var probe = await lab.ConnectAsync();
        return [.. (await probe.FetchAsync("INBOX")).OrderBy(m => m.Uid).Select(m => m.Message.Flags)];
    }

    private static async Task<IReadOnlyList<DateTimeOffset>> DatesAsync(MigrationLab lab)
    {
        await using var probe = await lab.ConnectAsync();
        return [.. (await probe.FetchAsync("INBOX")).Select(m => m.Message.InternalDate)];
    }
}
