namespace Imapsync.Engine.State;

/// <summary>Reaches the state of a job on some medium. Touches nothing as yet.</summary>
public delegate IStateMedium StateOpener(StateLocation location);

/// <summary>
/// Keeps the state of one job: named pieces that are replaced whole, and journals that are added to batch by batch. What the pieces say is laid
/// down by those who write them (docs/checkpoints.md); the medium sees octets. An instance belongs to one run or one look; its methods may be
/// called from several tasks, those for one piece from one at a time. What can't be read or written throws <see cref="IOException"/> or
/// <see cref="UnauthorizedAccessException"/> with a text for people. Disposing it ends its hold; one that holds nothing need not be disposed.
/// </summary>
public interface IStateMedium : IAsyncDisposable
{
    /// <summary>For people, after which "can't be used" makes a sentence.</summary>
    string Display { get; }

    /// <summary>Where a piece lies, for people who look for it.</summary>
    string Where(StateName name);

    /// <summary>The job has a state, if only an empty one.</summary>
    Task<bool> ExistsAsync(CancellationToken cancellationToken);

    /// <summary>Throws where something else lies in the place of the state. Changes nothing.</summary>
    Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>As <see cref="CheckAsync"/>, and makes an empty state where there is none.</summary>
    Task MakeAsync(CancellationToken cancellationToken);

    /// <summary>
    /// As <see cref="MakeAsync"/>, and takes the job: until this instance is disposed or its process ends, however that ends, no other one holds it.
    /// A medium whose holders can lose their hold while they live (a lease that runs out) numbers them, gives the number along with each write of a
    /// piece that <see cref="StateName.IsHeld"/>, and refuses those of any but the last with <see cref="CheckpointLockedException"/>: a process that was
    /// held up must change nothing when it goes on. What a crash left half-written is gone afterwards.
    /// </summary>
    /// <exception cref="CheckpointLockedException">Another run holds it; the text says which.</exception>
    Task HoldAsync(CancellationToken cancellationToken);

    Task<bool> HasAsync(StateName name, CancellationToken cancellationToken);

    /// <summary>Opens a piece for reading, as it is or newer; null where there is none. It may be open for adding to.</summary>
    /// <param name="willWrite">What is found decides what is written: throws where writing would go to somewhere else.</param>
    Task<IStateContent?> OpenAsync(StateName name, CancellationToken cancellationToken, bool willWrite = false);

    /// <summary>Opens every pair's journal, in no order, each disposed before the next. Whose it is only its own text says.</summary>
    IAsyncEnumerable<IStateContent> OpenJournalsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Puts a piece in place of what was there, or of nothing: at any moment the old content or the whole new one is seen. Durable when this
    /// returns. Makes the state where there is none.
    /// </summary>
    /// <param name="write">Writes the content; what it throws passes through, and the old content stays.</param>
    Task ReplaceAsync(StateName name, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken);

    /// <summary>Puts a piece of which only matters that it is there. Durable when this returns; a crash may leave a part of its content.</summary>
    Task MarkAsync(StateName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Removes a piece, if there is one. Of a journal, durable when this returns; a mark may come back after a power cut.</summary>
    Task RemoveAsync(StateName name, CancellationToken cancellationToken);

    /// <summary>Puts a damaged journal where no run looks, for people. The newest few of a pair are kept.</summary>
    /// <returns>What it is called there; null where it stays.</returns>
    Task<string?> SetAsideAsync(StateName name, CancellationToken cancellationToken);

    /// <summary>Adds to a piece that is there.</summary>
    /// <param name="length">How much of it stays, in octets; what follows is cut off.</param>
    IStateLog Continue(StateName name, long length);

    /// <summary>
    /// A turn at <see cref="StateName.History"/>, which those write too who do not hold the job; ends when it is disposed or with the process. Null
    /// while another has it.
    /// </summary>
    IDisposable? TryTakeTurn();

    /// <summary>
    /// A directory on this machine where a store may keep, in files of its own, the numbers it gave to somebody else's mail. Nothing is made. What is lost
    /// there is numbered anew, and matched by identity. Null where there is no such place.
    /// </summary>
    string? LocalDirectory(string use);
}

/// <summary>A piece of state that is being read.</summary>
public interface IStateContent : IDisposable
{
    /// <summary><see cref="IStateMedium.Where"/> it lies.</summary>
    string Display { get; }

    long Length { get; }

    /// <summary>Some of the octets at an offset; 0 at the end.</summary>
    ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancellationToken);
}

/// <summary>A piece of state that is being added to.</summary>
public interface IStateLog : IDisposable
{
    /// <summary>
    /// Adds a batch, after those before. Durable when this returns; a crash leaves all of it, none, or (in files) a part. Logs of one medium share
    /// the cost of becoming durable where they can. After a failure nothing may be added, for what is there is not known.
    /// </summary>
    /// <exception cref="CheckpointLockedException">The job is another's by now; nothing was added.</exception>
    Task AppendAsync(ReadOnlyMemory<byte> batch);
}

/// <summary>Small pieces in one go.</summary>
internal static class StatePieces
{
    /// <summary>The whole of a piece; null where there is none, or one longer than any of ours.</summary>
    public static async Task<byte[]?> ReadAllAsync(this IStateMedium medium, StateName name, long maxBytes, CancellationToken cancellationToken, bool willWrite = false)
    {
        if (await medium.OpenAsync(name, cancellationToken, willWrite) is not { } opened)
            return null;
        using var content = opened;
        return content.Length > maxBytes ? null : await content.ReadUpToAsync(0, (int)content.Length, cancellationToken);
    }

    /// <summary>So many octets from an offset, or as many as there are.</summary>
    public static async Task<byte[]> ReadUpToAsync(this IStateContent content, long offset, int count, CancellationToken cancellationToken)
    {
        var octets = new byte[count];
        var held = 0;
        while (held < count && await content.ReadAsync(octets.AsMemory(held), offset + held, cancellationToken) is > 0 and var read)
            held += read;
        return held == count ? octets : octets[..held];
    }

    public static Task ReplaceAsync(this IStateMedium medium, StateName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        medium.ReplaceAsync(name, async (stream, c) => await stream.WriteAsync(content, c), cancellationToken);
}
