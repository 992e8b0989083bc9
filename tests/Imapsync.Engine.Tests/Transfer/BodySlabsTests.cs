using System.Buffers;
using Imapsync.Engine.Transfer;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Transfer;

public sealed class BodySlabsTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Bodies_that_wait_together_share_no_octet()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        using var slabs = new BodySlabs();
        var waiting = new List<(IMemoryOwner<byte> Body, byte Filled)>();
        for (var round = 0; round < 2_000; round++)
        {
            var body = await slabs.TakeAsync(random.Next(0, 20_000), None);
            body.Memory.Span.Fill((byte)round);
            waiting.Add((body, (byte)round));
            // Free the buffers in random order, because writers may finish in any order.
            while (waiting.Count > 40)
            {
                var at = random.Next(waiting.Count);
                Assert.True(!waiting[at].Body.Memory.Span.ContainsAnyExcept(waiting[at].Filled), $"overwritten in round {round} of seed {seed}");
                waiting[at].Body.Dispose();
                waiting.RemoveAt(at);
            }
        }
    }

    [Fact]
    public async Task Without_room_a_body_waits_until_a_whole_slab_is_given_back()
    {
        using var slabs = new BodySlabs();
        var held = new List<IMemoryOwner<byte>>();
        Task<IMemoryOwner<byte>> waiting;
        while ((waiting = slabs.TakeAsync(BodySlabs.SlabBytes / 2, None).AsTask()).IsCompletedSuccessfully)
            held.Add(await waiting);

        Assert.True(held.Count > 2);
        held[2].Dispose();
        Assert.False(waiting.IsCompleted);
        held[3].Dispose();
        Assert.Equal(BodySlabs.SlabBytes / 2, (await waiting).Memory.Length);
    }

    [Fact]
    public async Task A_wait_for_room_can_be_given_up()
    {
        using var slabs = new BodySlabs();
        using var abort = new CancellationTokenSource();
        Task<IMemoryOwner<byte>> waiting;
        while ((waiting = slabs.TakeAsync(BodySlabs.SlabBytes, abort.Token).AsTask()).IsCompletedSuccessfully)
        {
        }

        await abort.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }

    [Fact]
    public async Task Giving_back_twice_counts_once()
    {
        using var slabs = new BodySlabs();
        var first = await slabs.TakeAsync(100, None);
        var second = await slabs.TakeAsync(100, None);
        second.Memory.Span.Fill(2);
        first.Dispose();
        first.Dispose();
        var filler = await slabs.TakeAsync(BodySlabs.SlabBytes, None);
        filler.Memory.Span.Fill(3);

        Assert.False(second.Memory.Span.ContainsAnyExcept((byte)2));
    }
}
