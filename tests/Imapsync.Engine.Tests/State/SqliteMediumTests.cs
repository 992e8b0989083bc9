using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.State;

/// <summary>
/// State in a database passes the tests of every kind of state storage. Further tests let a lease expire while its holder still works.
/// </summary>
public sealed class SqliteMediumTests : StateMediumContract
{
    private readonly SqliteDatabase database = new();
    private readonly ManualClock clock = new();

    public override ValueTask DisposeAsync()
    {
        database.Dispose();
        return base.DisposeAsync();
    }

    protected override IStateMedium Open(string? part = null) => database.Opener(clock)(new StateLocation("job", part));

    [Fact]
    public async Task Who_was_held_up_for_longer_than_the_lease_changes_nothing_when_it_goes_on()
    {
        var heldUp = await CheckpointStore.OpenAsync(Open(), readOnly: false, Token);
        var checkpoint = await heldUp.OpenAsync(Inbox, Token);
        Begin(checkpoint);
        checkpoint.Settle(Copied(1, 1));
        await checkpoint.CommitAsync(Token);
        clock.Advance(SqliteMedium.Lease + TimeSpan.FromSeconds(1));

        await using (var next = await CheckpointStore.OpenAsync(Open(), readOnly: false, Token))
        {
            await using var taken = await next.OpenAsync(Inbox, Token);
            taken.Settle(Copied(2, 2));
            await taken.CommitAsync(Token);

            checkpoint.Settle(Copied(3, 3));
            await Assert.ThrowsAsync<CheckpointLockedException>(async () => await checkpoint.CommitAsync(Token));
            await Assert.ThrowsAsync<CheckpointLockedException>(() => heldUp.SaveSummariesAsync([new PairSummary(Inbox, default, null, "", 0, 0)], Token));
            await checkpoint.DisposeAsync();
            await heldUp.DisposeAsync();
            await Assert.ThrowsAsync<CheckpointLockedException>(() => OpenStoreAsync());
            taken.Settle(Copied(4, 4));
            await taken.CommitAsync(Token);
        }

        await UseAsync(Inbox, c =>
        {
            Assert.Equal([Copied(1, 1), Copied(2, 2), Copied(4, 4)], c.Messages);
            return Task.CompletedTask;
        });
    }

    [Fact]
    public async Task A_run_whose_job_was_taken_by_another_ends_as_locked_and_the_next_completes_it_once()
    {
        using var box = new MailboxFixture();
        box.OpenState = database.Opener(clock);
        for (var i = 0; i < 5; i++)
            box.Source.Folder("INBOX").Add(MailboxFixture.Mail($"m{i}"));
        IStateMedium? other = null;
        box.Target.OnStep = step =>
        {
            if (step != "append!" || other is not null)
                return;
            clock.Advance(SqliteMedium.Lease + TimeSpan.FromSeconds(1));
            other = box.OpenState(box.Job.State);
            other.HoldAsync(Token).GetAwaiter().GetResult();
        };
        var report = await box.RunAsync();
        Assert.Equal((JobOutcome.Failed, StopReason.Locked, Reasons.Locked), (report.Outcome, report.Stop, report.Problems[0].Reason));
        Assert.Null(await ReadAsync(other!, StateName.Summary));
        await other!.DisposeAsync();

        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
        Assert.Equal(MailboxFixture.Describe(box.Source), MailboxFixture.Describe(box.Target));
        Assert.Equal(0, (await box.RunAsync()).Totals.Copied);
        Assert.Empty(Directory.EnumerateFileSystemEntries(box.StateDirectory));
    }
}
