using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Tests.Configuration;

public sealed class EndpointLimitTests : JobFileFixture
{
    [Fact]
    public void Limits_and_timeouts_are_read()
    {
        var source = Source(Read(File(Job("limits: { bytes_per_second: 2MB, messages_per_second: 0.5, bytes_per_day: 2GB, connections: 5 }")), "alice.source.timeouts.connect=5s"));
        Assert.Equal(new TransferLimits { BytesPerSecond = 2_000_000, MessagesPerSecond = 0.5, BytesPerDay = 2_000_000_000 }, source.Limits);
        Assert.Equal(5, source.Connections);
        Assert.Equal(new ServerTimeouts() with { Connect = TimeSpan.FromSeconds(5) }, source.Timeouts);
        var target = Read(File(Job(target: "limits: { bytes_per_second: 1KiB }"))).Jobs[0].Target;
        Assert.Equal(new TransferLimits { BytesPerSecond = 1024 }, target.Limits);
    }

    [Fact]
    public void Without_any_there_is_no_limit() => Assert.Same(TransferLimits.None, Source(Read(File(Job()))).Limits);

    [Fact]
    public void Connections_have_one_meaning_in_two_places()
    {
        Assert.Equal(3, Source(Read(File(Job("connections: 3")))).Connections);
        Assert.Equal(3, Source(Read(File(Job("limits: { connections: 3 }")))).Connections);
        // A setting from outside the file overrides the file's one, even if only one of the two uses the short notation.
        Assert.Equal(7, Source(Read(File(Job("limits: { connections: 3 }")), "alice.source.connections=7")).Connections);
        Assert.Equal(7, Source(Read(File(Job("connections: 3")), "alice.source.limits.connections=7")).Connections);
        Assert.Equal(
            "job.yaml:6:7: 'connections' is given here and in 'limits'; remove one of them",
            Error(File(Job("connections: 3\n      limits: { connections: 3 }"))));
    }

    [Theory]
    [InlineData("limits: { bytes_per_second: 0 }", "'0' is no size for 'bytes_per_second'; write a number above 0")]
    [InlineData("limits: { bytes_per_day: lots }", "'lots' is no size for 'bytes_per_day'; write a number above 0")]
    [InlineData("limits: { messages_per_second: -1 }", "'-1' is no number of messages; write a number above 0")]
    [InlineData("limits: { messages_per_second: 0 }", "'0' is no number of messages; write a number above 0")]
    [InlineData("limits: { connections: 33 }", "'33' is no number of connections; write a number from 1 to 32")]
    [InlineData("limits: { byte_per_second: 1 }", "unknown key 'byte_per_second'; did you mean 'bytes_per_second'?")]
    [InlineData("timeouts: { greeting: 5 }", "'5' is no length of time for 'greeting'; write a number with s, m or h")]
    [InlineData("timeouts: { stall: 0s }", "'0s' is no length of time for 'stall'; write a number with s, m or h")]
    [InlineData("timeouts: { connect: 2d }", "'2d' is no length of time for 'connect'; write a number with s, m or h")]
    public void A_limit_that_is_none_is_refused(string setting, string message)
    {
        var error = Error(File(Job(setting)));
        Assert.StartsWith("job.yaml:6:", error, StringComparison.Ordinal);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("limits: { connections: 2 }", "connections")]
    [InlineData("timeouts: { stall: 2m }", "timeouts")]
    public void A_directory_has_neither_connections_nor_timeouts(string setting, string key) =>
        Assert.Contains($"'{key}' means nothing to a maildir: store; remove it", Error(File(Job(target: setting))), StringComparison.Ordinal);
}
