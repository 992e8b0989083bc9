using Imapsync.Engine.Jobs;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// At the cut-over, users begin to work at the target. Before it, runs copy the source's flags to the target. After it, flags that users
/// change at the target stay.
/// </summary>
public sealed class CutoverTests : IDisposable
{
    private static readonly DateTimeOffset Cutover = new(2026, 6, 1, 20, 0, 0, TimeSpan.Zero);
    private readonly MailboxFixture box = new();
    private readonly SetTime time = new() { Now = Cutover.AddHours(-1) };

    public CutoverTests()
    {
        box.Time = time;
        box.Source.HasModSeq = box.Target.HasModSeq = false;
        box.Job = box.Job with { Stage = MigrationStage.Final, Cutover = Cutover };
    }

    public void Dispose() => box.Dispose();

    /// <summary>
    /// The cut-over may come at any step of a running run. The run never undoes flags that users change after the cut-over.
    /// </summary>
    [Fact]
    public async Task A_run_that_spans_the_cut_over_undoes_nothing_that_was_changed_since()
    {
        string[] folders = ["A", "B", "C"];
        foreach (var folder in folders)
        {
            for (var n = 0; n < 3; n++)
                box.Source.Folder(folder).Add(MailboxFixture.Mail($"{folder}{n}"));
        }

        await box.RunAsync();
        for (var at = 0; ; at++)
        {
            time.Now = Cutover.AddHours(-1);
            foreach (var folder in folders)
            {
                box.Target.Folder(folder).SetFlags(1, "");
                box.Target.Folder(folder).SetFlags(2, "\\Answered");
            }

            var (left, folderThen) = (at, "");
            box.Target.OnStep = step =>
            {
                // The cut-over never comes at a step that sets flags, because a run can't notice a change between reading and setting
                // flags.
                if (time.Now >= Cutover || step.StartsWith("flags", StringComparison.Ordinal) || left-- > 0)
                    return;
                time.Now = Cutover;
                folderThen = step;
                foreach (var folder in folders)
                    box.Target.Folder(folder).SetFlags(1, "$Mine");
            };
            await box.RunAsync();
            box.Target.OnStep = _ => { };
            if (folderThen.Length == 0)
                break;
            foreach (var folder in folders)
                Assert.True(Flags(folder, 1) == "$Mine", $"step {at}, {folderThen}: {folder} has '{Flags(folder, 1)}'");
        }
    }

    [Fact]
    public async Task A_message_whose_flags_users_changed_keeps_them_though_both_sides_came_out_alike_once()
    {
        box.Source.Folder("A").Add(MailboxFixture.Mail("a"));
        await box.RunAsync();
        time.Now = Cutover.AddHours(1);
        box.Target.Folder("A").SetFlags(1, "\\Flagged");
        box.Source.Folder("A").SetFlags(1, "\\Flagged");
        await box.RunAsync();
        box.Source.Folder("A").SetFlags(1, "\\Seen");
        await box.RunAsync();
        Assert.Equal("\\Flagged", Flags("A", 1));
    }

    [Fact]
    public async Task A_message_that_nobody_touched_follows_the_source_still()
    {
        box.Source.Folder("A").Add(MailboxFixture.Mail("a"));
        await box.RunAsync();
        time.Now = Cutover.AddHours(1);
        foreach (var flags in new[] { "\\Seen", "\\Seen \\Answered", "" })
        {
            box.Source.Folder("A").SetFlags(1, flags);
            await box.RunAsync();
            Assert.Equal(flags, Flags("A", 1));
        }
    }

    private string Flags(string folder, uint uid) => box.Target.Folder(folder).Messages.Find(m => m.Uid == uid)!.Flags.ToString();

    private sealed class SetTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; }

        public override DateTimeOffset GetUtcNow() => Now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.Zero, period);
    }
}
