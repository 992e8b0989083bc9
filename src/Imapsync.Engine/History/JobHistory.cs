using System.Collections.Immutable;
using System.Security.Cryptography;
using Imapsync.Engine.Files;
using Imapsync.Engine.State;

namespace Imapsync.Engine.History;

/// <summary>
/// The history of the operations on a job, stored under the name <c>history</c> in the job's state (docs/checkpoints.md). Nothing depends
/// on it: if it is damaged or deleted, only its own information is lost. Several processes may append at the same time. All failures are
/// <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.
/// </summary>
public sealed class JobHistory(IStateMedium state, TimeProvider time)
{
    /// <summary>Creates the history of a state that is kept in files.</summary>
    public JobHistory(string stateDirectory, TimeProvider time)
        : this(new FileMedium(new StateLocation(stateDirectory), time), time)
    {
    }

    /// <summary>The size in octets beyond which the file is thinned before another entry is appended.</summary>
    public const int MostBytes = 2 * HistoryThinning.MostBytes;

    /// <summary>The largest file that is read. Files of this program are far smaller.</summary>
    private const long MostReadBytes = 64 << 20;

    private const int LeastBytes = 64 << 10;
    private const int Tries = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Reads all entries, oldest first. Damaged lines are skipped.</summary>
    /// <exception cref="NewerHistoryException"/>
    public async Task<ImmutableArray<HistoryEntry>> ReadAsync(CancellationToken cancellationToken) => [.. HistoryLines.Read(await ReadOctetsAsync(cancellationToken), out _)];

    /// <summary>Reads all entries without their folders, which is fast enough for very many jobs.</summary>
    /// <exception cref="NewerHistoryException"/>
    public async Task<ImmutableArray<HistoryEntry>> ReadWithoutFoldersAsync(CancellationToken cancellationToken) =>
        [.. HistoryLines.Read(await ReadOctetsAsync(cancellationToken), out _, skipsFolders: true)];

    /// <summary>Records the start of an operation. The record is durable when this returns.</summary>
    /// <param name="makesState">Whether to create a missing state directory; otherwise nothing is recorded without one.</param>
    /// <returns>The entry to pass to <see cref="EndAsync"/> with its end; null when nothing was recorded.</returns>
    public async Task<HistoryEntry?> BeginAsync(HistoryKind kind, bool makesState, CancellationToken cancellationToken)
    {
        if (!makesState && !await state.ExistsAsync(cancellationToken))
            return null;
        await state.MakeAsync(cancellationToken);
        var entry = new HistoryEntry(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)), kind, time.GetUtcNow())
        {
            Process = new HistoryProcess(Environment.ProcessId, Environment.MachineName),
        };
        // The entry is synced to disk. Otherwise, after a power failure during this run, the previous run would appear to be the last one.
        await AddAsync(entry, cancellationToken);
        return entry;
    }

    /// <summary>Records the end of an operation. The record is durable when this returns.</summary>
    public Task EndAsync(HistoryEntry ended, CancellationToken cancellationToken) => AddAsync(ended, cancellationToken);

    private async Task AddAsync(HistoryEntry entry, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        var lines = new RecordWriter(isChained: false);
        HistoryLines.Write(lines, entry);
        if (await FindEndAsync(lines.Written.Length, cancellationToken) is not var (length, isTorn))
        {
            await RewriteAsync(entry, cancellationToken);
            return;
        }

        using var log = state.Continue(StateName.History, length);
        // A line that a crash left incomplete is terminated, since the new line would otherwise be appended to it and lost.
        await log.AppendAsync(isTorn ? (byte[])[(byte)'\n', .. lines.Written.Span] : lines.Written);
    }

    /// <summary>
    /// Finds where to append. Returns null if the whole history has to be written anew: it does not exist, its first line is damaged, or it
    /// has become too long and has to be thinned.
    /// </summary>
    private async Task<(long Length, bool IsTorn)?> FindEndAsync(int more, CancellationToken cancellationToken)
    {
        const int HeadBytes = 128;
        if (await state.OpenAsync(StateName.History, cancellationToken, willWrite: true) is not { } opened)
            return null;
        using var content = opened;
        var head = await content.ReadUpToAsync(0, HeadBytes, cancellationToken);
        _ = HistoryLines.Read(head, out var thinned);
        var length = content.Length;
        if (!head.AsSpan().StartsWith(HistoryLines.Magic) || length + more > Math.Min(Math.Max(LeastBytes, 2 * thinned), MostBytes))
            return null;
        return (length, IsTorn: await content.ReadUpToAsync(length - 1, 1, cancellationToken) is not [(byte)'\n']);
    }

    private async Task RewriteAsync(HistoryEntry entry, CancellationToken cancellationToken)
    {
        var entries = HistoryLines.Read(await ReadOctetsAsync(cancellationToken), out _);
        var known = entries.FindIndex(e => e.Id == entry.Id);
        if (known >= 0)
            entries[known] = entry;
        else
            entries.Add(entry);
        var file = HistoryThinning.Write(entries, time.GetUtcNow());
        await state.ReplaceAsync(StateName.History, file, cancellationToken);
    }

    private async Task<byte[]> ReadOctetsAsync(CancellationToken cancellationToken) =>
        await state.ReadAllAsync(StateName.History, MostReadBytes, cancellationToken) ?? [];

    private async Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            if (state.TryTakeTurn() is { } turn)
                return turn;
            if (tries == Tries)
                throw new IOException($"{state.Display} is held by another process");
            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}
