using Imapsync.Engine.Jobs;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class PatienceSettingsTests : JobFileFixture
{
    [Fact]
    public void What_is_not_said_is_the_default()
    {
        var job = Read(File(Job())).Jobs[0];
        Assert.Equal((new RetrySettings(), null), (job.Retry, job.MaxDuration));
        Assert.Equal(new RetrySettings { MaxDelay = TimeSpan.FromSeconds(90) }, Read(File(Job(job: "retry: { max_delay: 90s }"))).Jobs[0].Retry);
    }

    [Fact]
    public void Each_can_be_said_in_the_file_and_from_outside()
    {
        var job = Read(
            File(Job(job: "max_duration: 4h\n    retry: { attempts: 3, max_delay: 1m, give_up_after: 2d }")), "alice.retry.attempts=9").Jobs[0];
        Assert.Equal(TimeSpan.FromHours(4), job.MaxDuration);
        Assert.Equal(new RetrySettings { Attempts = 9, MaxDelay = TimeSpan.FromMinutes(1), GiveUpAfter = TimeSpan.FromDays(2) }, job.Retry);
    }
}
