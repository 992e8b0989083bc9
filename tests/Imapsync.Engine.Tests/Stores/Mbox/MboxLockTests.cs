using Imapsync.Engine.Mail;
using Imapsync.Engine.Tests.Contracts;

namespace Imapsync.Engine.Tests.Stores.Mbox;

public sealed class MboxLockTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_folder_that_stays_locked_is_given_up_and_left_as_it_was()
    {
        using var place = new MboxPlace();
        await place.AppendAsync(AwkwardMessages.Ordinary(1));
        var before = await File.ReadAllBytesAsync(place.Mbox, Token);
        await File.WriteAllTextAsync(place.Mbox + ".lock", $"{Environment.ProcessId}:{Environment.MachineName}\n", Token);
        var failure = await Assert.ThrowsAsync<MailException>(() => place.OpenFolderAsync(new HurriedTime()));
        Assert.Equal((FailureScope.Folder, true), (failure.Scope, failure.IsTransient));
        Assert.Contains(Environment.ProcessId.ToString(), failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(place.Mbox, Token));
        Assert.True(File.Exists(place.Mbox + ".lock"));
        File.Delete(place.Mbox + ".lock");
        Assert.Single((await place.ReadAsync()).Letters);
    }

    [Fact]
    public async Task A_lock_that_is_given_up_meanwhile_is_waited_for()
    {
        using var place = new MboxPlace();
        await place.AppendAsync(AwkwardMessages.Ordinary(1));
        var dotlock = place.Mbox + ".lock";
        await File.WriteAllTextAsync(dotlock, "x", Token);
        var time = new HurriedTime(onTimer: count =>
        {
            if (count == 5)
                File.Delete(dotlock);
        });
        await using var folder = await place.OpenFolderAsync(time);
        Assert.Equal(1, folder.Status.Messages);
        Assert.False(File.Exists(dotlock));
    }

    [Theory]
    [InlineData("999999999:{host}")]
    [InlineData("")]
    [InlineData("junk")]
    public async Task A_lock_left_behind_is_broken(string owner)
    {
        using var place = new MboxPlace();
        await place.AppendAsync(AwkwardMessages.Ordinary(1));
        await File.WriteAllTextAsync(place.Mbox + ".lock", owner.Replace("{host}", Environment.MachineName, StringComparison.Ordinal), Token);
        await using var folder = await place.OpenFolderAsync(new HurriedTime(later: TimeSpan.FromHours(1)));
        Assert.Equal(1, folder.Status.Messages);
    }

    [Fact]
    public async Task No_lock_is_left_and_files_are_private()
    {
        using var place = new MboxPlace();
        await place.AppendAsync(AwkwardMessages.Ordinary(1));
        Assert.Equal([place.Mbox, place.Index], Directory.GetFiles(place.Path).Order());
        Assert.All(Directory.GetFiles(place.Path), f => Assert.Equal("rw-------", Mode(f)));
    }

    [Fact]
    public async Task Symbolic_links_are_not_followed()
    {
        using var place = new MboxPlace();
        using var elsewhere = new MboxPlace();
        await elsewhere.AppendAsync(AwkwardMessages.Ordinary(1));
        File.CreateSymbolicLink(place.Mbox, elsewhere.Mbox);
        Directory.CreateSymbolicLink(Path.Combine(place.Path, "A.sbd"), elsewhere.Path);
        var store = await place.OpenAsync();
        Assert.Empty(await store.ListFoldersAsync(Token));
        Assert.Contains("2 are not read", Assert.Single(place.Unread), StringComparison.Ordinal);
        foreach (var path in new[] { "Box", "A/Box" })
            Assert.Equal(FailureKind.Gone, (await Assert.ThrowsAsync<MailException>(() => store.OpenAsync(FolderPath.Parse(path), Token))).Kind);
    }

    private static string Mode(string file) =>
        OperatingSystem.IsWindows() || File.GetUnixFileMode(file) == (UnixFileMode.UserRead | UnixFileMode.UserWrite) ? "rw-------" : "others may read";

    /// <summary>A clock whose waits end at once.</summary>
    internal sealed class HurriedTime(TimeSpan later = default, Action<int>? onTimer = null) : TimeProvider
    {
        private int timers;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + later;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            onTimer?.Invoke(++timers);
            return base.CreateTimer(callback, state, TimeSpan.Zero, period);
        }
    }
}
