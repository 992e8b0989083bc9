using Imapsync.Engine.Stores;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores;

public sealed class DotLockTests
{
    [Fact]
    public async Task Those_who_let_go_while_others_ask_make_nobody_fail()
    {
        using var dir = new TempDir();
        var holders = 0;
        for (var round = 0; round < 60; round++)
        {
            // All ask at once: whoever loses may find the lock gone again when it looks.
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
}
