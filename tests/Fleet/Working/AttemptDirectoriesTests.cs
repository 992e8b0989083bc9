using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Fleet.Working;
using Imapsync.Tests.Support;

namespace Imapsync.Fleet.Tests.Working;

public sealed class AttemptDirectoriesTests : IDisposable
{
    private readonly TempDir dir = new();

    [Fact]
    public async Task Each_attempt_goes_on_from_the_newest_and_what_an_older_one_still_writes_nobody_reads()
    {
        var states = new AttemptDirectories(dir["state"]);
        var first = await states.TakeAsync(Job("alice"), Nothing);
        Directory.CreateDirectory(Path.Combine(first, "pairs"));
        File.WriteAllText(Path.Combine(first, "pairs", "inbox"), "1");
        File.WriteAllText(Path.Combine(first, "lock"), "pid 1");
        var second = await states.TakeAsync(Job("alice"), Nothing);
        // The first attempt's worker, presumed dead, still writes.
        File.WriteAllText(Path.Combine(first, "pairs", "inbox"), "late");
        Assert.Equal("1", File.ReadAllText(Path.Combine(second, "pairs", "inbox")));
        Assert.False(File.Exists(Path.Combine(second, "lock")));
        File.WriteAllText(Path.Combine(second, "pairs", "inbox"), "2");
        var third = await states.TakeAsync(Job("alice"), Nothing);
        Assert.Equal("2", File.ReadAllText(Path.Combine(third, "pairs", "inbox")));
        Assert.False(Directory.Exists(first));
        Assert.True(Directory.Exists(second));
        Assert.Empty(Directory.EnumerateFiles(await states.TakeAsync(Job("bob"), Nothing)));
    }

    [Fact]
    public async Task An_attempt_that_lost_its_turn_meanwhile_takes_no_directory()
    {
        var states = new AttemptDirectories(dir["state"]);
        var first = await states.TakeAsync(Job("alice"), Nothing);
        await Assert.ThrowsAsync<OperationCanceledException>(() => states.TakeAsync(Job("alice"), () => throw new OperationCanceledException()));
        Assert.Equal([first], Directory.EnumerateDirectories(Path.GetDirectoryName(first)!).Where(d => !d.EndsWith(".tmp", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task What_an_attempt_left_that_ended_in_the_middle_of_its_copy_is_removed()
    {
        var states = new AttemptDirectories(dir["state"]);
        var first = await states.TakeAsync(Job("alice"), Nothing);
        File.WriteAllText(Path.Combine(first, "inbox"), "1");
        var left = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(first)!, "2.abc.tmp")).FullName;
        File.WriteAllText(Path.Combine(left, "inbox"), "");
        // An attempt that has lost the lease removes nothing, because the leftover directory may belong to the
        // attempt that now holds the lease.
        await Assert.ThrowsAsync<OperationCanceledException>(() => states.TakeAsync(Job("alice"), () => throw new OperationCanceledException()));
        Assert.True(Directory.Exists(left));
        Assert.Equal("1", File.ReadAllText(Path.Combine(await states.TakeAsync(Job("alice"), Nothing), "inbox")));
        Assert.Empty(Directory.EnumerateDirectories(Path.GetDirectoryName(first)!, "*.tmp"));
    }

    public void Dispose() => dir.Dispose();

    private static void Nothing()
    {
    }

    private static JobDefinition Job(string name) =>
        new(name, new ImapEndpoint("old.example", 993, TlsMode.Implicit, name), new ImapEndpoint("new.example", 993, TlsMode.Implicit, name)) { StateDirectory = "/nowhere" };
}
