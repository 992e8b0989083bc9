using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Fleet.Working;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Working;

public sealed class AttemptDirectoriesTests : IDisposable
{
    private readonly TempDir dir = new();

    [Fact]
    public void Each_attempt_goes_on_from_the_newest_and_what_an_older_one_still_writes_nobody_reads()
    {
        var states = new AttemptDirectories(dir["state"]);
        var first = states.Take(Job("alice"), Nothing);
        Directory.CreateDirectory(Path.Combine(first, "pairs"));
        File.WriteAllText(Path.Combine(first, "pairs", "inbox"), "1");
        File.WriteAllText(Path.Combine(first, "lock"), "pid 1");
        var second = states.Take(Job("alice"), Nothing);
        // The first attempt's worker, presumed dead, still writes.
        File.WriteAllText(Path.Combine(first, "pairs", "inbox"), "late");
        Assert.Equal("1", File.ReadAllText(Path.Combine(second, "pairs", "inbox")));
        Assert.False(File.Exists(Path.Combine(second, "lock")));
        File.WriteAllText(Path.Combine(second, "pairs", "inbox"), "2");
        var third = states.Take(Job("alice"), Nothing);
        Assert.Equal("2", File.ReadAllText(Path.Combine(third, "pairs", "inbox")));
        Assert.False(Directory.Exists(first));
        Assert.True(Directory.Exists(second));
        Assert.Empty(Directory.EnumerateFiles(states.Take(Job("bob"), Nothing)));
    }

    [Fact]
    public void An_attempt_that_lost_its_turn_meanwhile_takes_no_directory()
    {
        var states = new AttemptDirectories(dir["state"]);
        var first = states.Take(Job("alice"), Nothing);
        Assert.Throws<OperationCanceledException>(() => states.Take(Job("alice"), () => throw new OperationCanceledException()));
        Assert.Equal([first], Directory.EnumerateDirectories(Path.GetDirectoryName(first)!).Where(d => !d.EndsWith(".tmp", StringComparison.Ordinal)));
    }

    public void Dispose() => dir.Dispose();

    private static void Nothing()
    {
    }

    private static JobDefinition Job(string name) =>
        new(name, new ImapEndpoint("old.example", 993, TlsMode.Implicit, name), new ImapEndpoint("new.example", 993, TlsMode.Implicit, name)) { StateDirectory = "/nowhere" };
}
