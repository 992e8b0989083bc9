using Imapsync.Engine.Files;

namespace Imapsync.Engine.Tests.Files;

public sealed class NodeKindTests
{
    [Fact]
    public async Task A_file_that_is_created_and_removed_meanwhile_is_never_taken_for_a_device()
    {
        // Use a directory below /dev if possible, since there the path alone may make a file look like a device.
        var file = Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"imapsync-kind-{Guid.NewGuid():N}");
        using var ended = new CancellationTokenSource();
        var changing = Task.Run(() =>
        {
            while (!ended.IsCancellationRequested)
            {
                File.WriteAllBytes(file, []);
                File.Delete(file);
            }
        }, TestContext.Current.CancellationToken);

        var kinds = new HashSet<NodeKind>();
        for (var i = 0; i < 100_000; i++)
            kinds.Add(Nodes.KindOf(file));
        await ended.CancelAsync();
        await changing;

        Assert.Equal([NodeKind.Nothing, NodeKind.OrdinaryFile], kinds.Order());
    }
}
