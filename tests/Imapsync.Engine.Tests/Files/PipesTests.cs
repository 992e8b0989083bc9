using Imapsync.Engine.Files;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Files;

/// <summary>Output into a pipe that nobody reads fails after a while. It does not block the program for ever.</summary>
public sealed class PipesTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pipe_without_a_reader_is_given_up()
    {
        using var directory = new TemporaryDirectory();
        var pipe = Path.Combine(directory.Path, "pipe");
        await Command.RunAsync("mkfifo", [pipe]);

        var error = await Assert.ThrowsAsync<IOException>(() => OutputFile.WriteAsync(pipe, _ => Task.CompletedTask, time: new DueAtOnce()));

        Assert.Contains($"{pipe} is a pipe, and for 30 seconds nobody has read from it", error.Message, StringComparison.Ordinal);
        // The abandoned attempt to open the pipe ends as soon as a reader comes.
        await using var reader = new FileStream(pipe, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1);
    }

    [Fact]
    public async Task A_pipe_gets_all_that_is_written()
    {
        using var directory = new TemporaryDirectory();
        var pipe = Path.Combine(directory.Path, "pipe");
        await Command.RunAsync("mkfifo", [pipe]);
        var octets = new byte[300_000];
        new Random(Seeds.Next()).NextBytes(octets);
        var reading = Task.Run(() => File.ReadAllBytesAsync(pipe, Token), Token);
        await OutputFile.WriteAsync(pipe, s => s.WriteAsync(octets, Token).AsTask());
        Assert.Equal(octets, await reading);
    }

    private sealed class DueAtOnce : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.Zero, period);
    }
}
