using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores.Views;

namespace Imapsync.Engine.Tests.Copying;

public sealed class LogOutTests
{
    /// <summary>
    /// Each side's log-out waits until the other side's has begun. The test would hang if the run logged out of them in turn.
    /// </summary>
    [Fact]
    public async Task Source_and_target_log_out_at_once()
    {
        using var box = new MailboxFixture();
        box.Source.Folder("INBOX").Add(MailboxFixture.Mail("a"));
        TaskCompletionSource source = new(), target = new();
        box.OpenSource = (_, _, _) => Task.FromResult<IMessageStore>(new MeetingStore(box.Source.Open(), source, target));
        box.OpenTarget = (_, _, _, _) => Task.FromResult<ITargetStore>(new MeetingStore(box.Target.Open(), target, source));
        Assert.Equal(JobOutcome.Ok, (await box.RunAsync()).Outcome);
    }

    private sealed class MeetingStore(ITargetStore store, TaskCompletionSource begun, TaskCompletionSource other) : TargetView(store)
    {
        public override async ValueTask DisposeAsync()
        {
            begun.SetResult();
            await other.Task;
            await base.DisposeAsync();
        }
    }
}
