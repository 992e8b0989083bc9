using Imapsync.Engine.Files;
using Imapsync.Engine.Stores.Local;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Local;

public sealed class DotLockTests
{
    [Fact]
    public async Task Those_who_let_go_while_others_ask_make_nobody_fail()
    {
        using var dir = new TempDir();
        var holders = 0;
        for (var round = 0; round < 60; round++)
        {
            // All tasks ask for the lock at once. A task that must wait may find the lock file already deleted when it reads who holds it.
            await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
            {
                await using var held = await DotLock.AcquireAsync(dir["file"], TimeProvider.System, CancellationToken.None);
                Assert.Equal(1, Interlocked.Increment(ref holders));
                await Task.Yield();
                Interlocked.Decrement(ref holders);
            })));
        }

        Assert.False(File.Exists(dir["file.lock"]));
    }

    /// <summary>
    /// After a fork, a child process has its parent's file handles until it executes its own program. A released lock must not count as
    /// held because of such a handle.
    /// </summary>
    [Fact]
    public async Task Of_many_that_find_a_lock_left_behind_one_takes_it_though_children_are_started_meanwhile()
    {
        using var done = new CancellationTokenSource();
        var starting = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                using var child = System.Diagnostics.Process.Start("true");
                await child.WaitForExitAsync(CancellationToken.None);
            }
        });
        await Of_many_that_find_a_lock_left_behind_one_takes_it();
        await done.CancelAsync();
        await starting;
    }

    [Fact]
    public async Task Of_many_that_find_a_lock_left_behind_one_takes_it()
    {
        using var dir = new TempDir();
        for (var round = 0; round < 500; round++)
        {
            // No process has this ID, so the lock is stale.
            File.WriteAllText(dir["file.lock"], $"{int.MaxValue}:{Environment.MachineName}");
            var taken = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => DotLock.TryTake(dir["file"], TimeSpan.FromMinutes(1), TimeProvider.System))));

            await Assert.Single(taken, l => l is not null)!.DisposeAsync();
        }

        Assert.Empty(Directory.EnumerateFileSystemEntries(dir.Path));
    }

    [Fact]
    public async Task A_lock_says_whose_it_is_from_its_first_instant()
    {
        using var dir = new TempDir();
        Assert.SkipWhen(Posix.TryCreateWhole(dir["probe"], "x"u8) is null, "this file system has no files without a name");
        using var done = new CancellationTokenSource();
        var holder = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
                await DotLock.TryTake(dir["file"], TimeSpan.MaxValue, TimeProvider.System)!.DisposeAsync();
        });
        var said = new HashSet<string>();
        for (var reads = 0; reads < 2_000 && !holder.IsCompleted;)
        {
            try
            {
                said.Add(File.ReadAllText(dir["file.lock"]));
                reads++;
            }
            catch (FileNotFoundException)
            {
                // The lock file did not exist at that moment, because nobody held the lock. This is allowed.
            }
        }

        await done.CancelAsync();
        await holder;

        Assert.Equal([$"{Environment.ProcessId}:{Environment.MachineName}"], said);
    }

    [Fact]
    public void A_lock_that_is_there_is_left_alone()
    {
        using var dir = new TempDir();
        File.WriteAllText(dir["file.lock"], "somebody");

        Assert.Null(DotLock.TryTake(dir["file"], TimeSpan.FromMinutes(1), TimeProvider.System));
        Assert.Equal("somebody", DotLock.Holder(dir["file"]));
        Assert.Equal(["file.lock"], Directory.EnumerateFileSystemEntries(dir.Path).Select(Path.GetFileName));
    }
}
