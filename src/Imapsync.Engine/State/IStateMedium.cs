namespace Imapsync.Engine.State;

/// <summary>Returns access to a job's state on some medium, without reading or writing anything yet.</summary>
public delegate IStateMedium StateOpener(StateLocation location);

/// <summary>
/// Keeps the state of one job: named pieces that are replaced as a whole, and journals that grow batch by batch. The medium stores octets;
/// their formats are defined by the classes that write them (docs/checkpoints.md). An instance belongs to one run or one read-only view.
/// Its methods may be called from several tasks, but those for the same piece from only one at a time. Read and write failures throw
/// <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> with a text for people. Disposing an instance releases its hold
/// on the job (see <see cref="HoldAsync"/>); an instance without a hold need not be disposed.
/// </summary>
public interface IStateMedium : IAsyncDisposable
{
    /// <summary>A description for people, worded so that "can't be used" can follow it.</summary>
    string Display { get; }

    /// <summary>Returns the location of a piece of the state, for people who look for it.</summary>
    string Where(StateName name);

    /// <summary>Returns whether the job has a state, even an empty one. Changes nothing.</summary>
    Task<bool> ExistsAsync(CancellationToken cancellationToken);

    /// <summary>Throws if the state's location contains something other than a job's state. Changes nothing.</summary>
    Task CheckAsync(CancellationToken cancellationToken);

    /// <summary>Like <see cref="CheckAsync"/>, and creates an empty state if there is none.</summary>
    Task MakeAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Like <see cref="MakeAsync"/>, and acquires the hold on the job, which is the exclusive right to run it: no other instance can have
    /// it until this one is disposed or its process ends in whatever way. On some media a live process can lose its hold (an expired
    /// lease). There each hold has a number, which is sent with each write of a piece that <see cref="StateName.IsHeld"/>. A write under
    /// any but the latest number is refused with <see cref="CheckpointLockedException"/>, so that a process that was suspended can't change
    /// anything when it continues. Pieces that a crash left half-written are removed.
    /// </summary>
    /// <exception cref="CheckpointLockedException">Another run has the hold on the job; the text says which run.</exception>
    Task HoldAsync(CancellationToken cancellationToken);

    Task<bool> HasAsync(StateName name, CancellationToken cancellationToken);

    /// <summary>
    /// Opens a piece of the state for reading; null if there is none. The content is the current one or, if the piece is replaced
    /// meanwhile, a newer one. A journal may be opened while it is being added to.
    /// </summary>
    /// <param name="willWrite">
    /// True if the content decides what is written next. Then this throws if writing would go to another location (a link).
    /// </param>
    Task<IStateContent?> OpenAsync(StateName name, CancellationToken cancellationToken, bool willWrite = false);

    /// <summary>
    /// Opens every folder pair's journal, in no particular order; each is disposed before the next is opened. Only a journal's content
    /// tells which pair it belongs to.
    /// </summary>
    IAsyncEnumerable<IStateContent> OpenJournalsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Replaces or creates a piece of the state atomically: a reader sees either the old content or the whole new one. Durable when this
    /// returns. Creates the state if there is none.
    /// </summary>
    /// <param name="write">Writes the content. If it throws, the exception is passed on and the old content stays.</param>
    Task ReplaceAsync(StateName name, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken);

    /// <summary>
    /// Creates a piece of the state that matters only by its existence. Durable when this returns; a crash before that may leave only part
    /// of its content.
    /// </summary>
    Task MarkAsync(StateName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>
    /// Removes a piece of the state if it exists. The removal of a journal is durable when this returns; a mark may reappear after a power
    /// cut.
    /// </summary>
    Task RemoveAsync(StateName name, CancellationToken cancellationToken);

    /// <summary>
    /// Renames a damaged journal, so that no run reads it any more and people can examine it. Only the newest few of each pair are kept.
    /// </summary>
    /// <returns>The new name; null if the journal stays where it is.</returns>
    Task<string?> SetAsideAsync(StateName name, CancellationToken cancellationToken);

    /// <summary>Opens an existing piece of the state for appending.</summary>
    /// <param name="length">How many octets of it are kept; the rest is truncated.</param>
    IStateLog Continue(StateName name, long length);

    /// <summary>
    /// Acquires the exclusive right to write <see cref="StateName.History"/>, which may also be written by an instance that has no hold on
    /// the job. The right ends when the result is disposed or the process ends. Null if another process has it.
    /// </summary>
    IDisposable? TryTakeTurn();

    /// <summary>
    /// Returns a directory on this machine where a store may record the UIDs that it has assigned to another program's mail; null if there
    /// is none. The directory is not created. If these UIDs are lost, the mail gets new ones, and the next run recognises it by its
    /// contents.
    /// </summary>
    string? LocalDirectory(string use);
}

/// <summary>A piece of state opened for reading.</summary>
public interface IStateContent : IDisposable
{
    /// <summary>The piece's location; see <see cref="IStateMedium.Where"/>.</summary>
    string Display { get; }

    long Length { get; }

    /// <summary>Reads some octets at an offset; returns 0 at the end.</summary>
    ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancellationToken);
}

/// <summary>A piece of state opened for appending.</summary>
public interface IStateLog : IDisposable
{
    /// <summary>
    /// Appends a batch. Durable when this returns; a crash leaves all of it, none of it, or (in files) a part. Logs of one medium share the
    /// cost of a sync where possible. After a failure nothing more may be appended, because the content is unknown.
    /// </summary>
    /// <exception cref="CheckpointLockedException">Another run has the hold on the job now; nothing was appended.</exception>
    Task AppendAsync(ReadOnlyMemory<byte> batch);
}

/// <summary>Reads and writes small pieces as a whole.</summary>
internal static class StatePieces
{
    /// <summary>Returns the content of a piece; null if it does not exist or is longer than the given limit.</summary>
    public static async Task<byte[]?> ReadAllAsync(this IStateMedium medium, StateName name, long maxBytes, CancellationToken cancellationToken, bool willWrite = false)
    {
        if (await medium.OpenAsync(name, cancellationToken, willWrite) is not { } opened)
            return null;
        using var content = opened;
        return content.Length > maxBytes ? null : await content.ReadUpToAsync(0, (int)content.Length, cancellationToken);
    }

    /// <summary>Reads this many octets from an offset, or fewer if the piece ends before.</summary>
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
