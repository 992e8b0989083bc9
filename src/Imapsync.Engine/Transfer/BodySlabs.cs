using System.Buffers;

namespace Imapsync.Engine.Transfer;

/// <summary>
/// Memory for message bodies that were read from the source and are not yet appended to the target. It consists of a few pooled blocks
/// ("slabs"), filled one after the other. A slab is reused once all its bodies are released, in any order. One task allocates, any task
/// releases.
/// </summary>
internal sealed class BodySlabs : IDisposable
{
    /// <summary>The size of a slab. A longer body can't be held.</summary>
    public const int SlabBytes = 1 << 20;

    private const int MaxSlabs = 4;

    /// <summary>
    /// A smaller body takes up this many octets of a slab. This limits the number of bodies and the memory for their other data.
    /// </summary>
    private const int LeastBytes = 1 << 10;

    private readonly Lock gate = new();
    private readonly Stack<Slab> free = new();
    private Slab? filling;
    private int used;
    private int made;
    private TaskCompletionSource? waiting;
    private bool isDisposed;

    /// <summary>
    /// Allocates exactly <paramref name="length"/> octets, at most <see cref="SlabBytes"/>. Waits until they are available.
    /// </summary>
    public async ValueTask<IMemoryOwner<byte>> TakeAsync(int length, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task room;
            lock (gate)
            {
                if (TryTake(length) is { } body)
                    return body;
                waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                room = waiting.Task;
            }

            await room.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Returns the slabs to the pool. A slab in use is returned when its last body is released.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            LeaveFilling();
            while (free.TryPop(out var slab))
                ArrayPool<byte>.Shared.Return(slab.Octets);
        }
    }

    private Body? TryTake(int length)
    {
        var room = Math.Max(length, LeastBytes);
        if (filling is null || used + room > SlabBytes)
        {
            LeaveFilling();
            if (!free.TryPop(out filling))
            {
                if (made == MaxSlabs)
                    return null;
                made++;
                filling = new Slab(ArrayPool<byte>.Shared.Rent(SlabBytes));
            }

            filling.Holders = 1;
            used = 0;
        }

        filling.Holders++;
        used += room;
        return new Body(this, filling, used - room, length);
    }

    private void LeaveFilling()
    {
        if (filling is { } left)
            Release(left);
        filling = null;
    }

    private void GiveBack(Slab slab)
    {
        lock (gate)
            Release(slab);
    }

    private void Release(Slab slab)
    {
        if (--slab.Holders > 0)
            return;
        if (isDisposed)
            ArrayPool<byte>.Shared.Return(slab.Octets);
        else
            free.Push(slab);
        waiting?.TrySetResult();
        waiting = null;
    }

    private sealed class Slab(byte[] octets)
    {
        public byte[] Octets => octets;

        /// <summary>The number of bodies in the slab, plus one while it is being filled.</summary>
        public int Holders { get; set; }
    }

    private sealed class Body(BodySlabs owner, Slab slab, int start, int length) : IMemoryOwner<byte>
    {
        private int isGivenBack;

        public Memory<byte> Memory => slab.Octets.AsMemory(start, length);

        public void Dispose()
        {
            if (Interlocked.Exchange(ref isGivenBack, 1) == 0)
                owner.GiveBack(slab);
        }
    }
}
