using Imapsync.Engine.Jobs;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class WatchSettingsTests : JobFileFixture
{
    [Fact]
    public void What_is_not_said_is_the_default_and_each_can_be_said()
    {
        Assert.Equal((TimeSpan.FromMinutes(5), 0), (Read(File(Job())).Jobs[0].Watch.Every, Read(File(Job())).Jobs[0].Watch.Folders.Length));
        var watch = Read(File(Job(job: "watch: { every: 90s, folders: [INBOX, \"Lists/*\"] }"))).Jobs[0].Watch;
        Assert.Equal(TimeSpan.FromSeconds(90), watch.Every);
        Assert.Equal(["INBOX", "Lists/*"], watch.Folders);
        Assert.Equal(TimeSpan.FromHours(1), Read(File(Job(job: "watch: { every: 90s }")), "alice.watch.every=1h").Jobs[0].Watch.Every);
    }

    [Theory]
    [InlineData("{ every: 2s }", "'2s' is too often: each look logs in to both sides; write 10s or more")]
    [InlineData("{ every: often }", "'often' is no length of time for 'every'")]
    [InlineData("{ every: 2d }", "'2d' is no length of time for 'every'")]
    [InlineData("{ folders: [a//b] }", "'a//b' fits no folder")]
    [InlineData("{ often: 5m }", "'often'")]
    public void What_cannot_be_right_is_told(string watch, string message) =>
        Assert.Contains(message, Error(File(Job(job: $"watch: {watch}"))), StringComparison.Ordinal);
}
