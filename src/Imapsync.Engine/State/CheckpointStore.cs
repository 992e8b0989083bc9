using System.Collections.Concurrent;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>Checkpoints on a medium, in the format of docs/checkpoints.md. It owns the medium, and with it the job's lock.</summary>
public sealed class CheckpointStore : ICheckpointStore
{
    private readonly IStateMedium medium;
    private readonly SemaphoreSlim replacing = new(1);
    private readonly ConcurrentDictionary<PairKey, bool> open = new();

    /// <summary>
    /// Folder pairs whose last commit failed. The journal of such a pair is written anew, because reading it may return octets that never
    /// reached the disk.
    /// </summary>
    private readonly ConcurrentDictionary<PairKey, bool> doubtful = new();

    private volatile IReadOnlyDictionary<PairKey, PairSummary> summaries;

    private CheckpointStore(IStateMedium medium, IReadOnlyDictionary<PairKey, PairSummary> summaries) =>
        (this.medium, this.summaries) = (medium, summaries);

    public IReadOnlyDictionary<PairKey, PairSummary> Summaries => summaries;

    /// <summary>
    /// The medium with the job's state. If the checkpoint store is read-only, this medium also shows the changes made through it, which
    /// exist in memory only.
    /// </summary>
    public IStateMedium State => medium;

    /// <param name="readOnly">
    /// Opens without locking the job and without creating or changing anything; commits are kept in memory until this object is disposed.
    /// </param>
    /// <exception cref="CheckpointLockedException">Another run has the job's lock.</exception>
    /// <exception cref="CheckpointVersionException">The state was written by a newer version; it is left as it is.</exception>
    /// <exception cref="CheckpointException">The medium can't be used.</exception>
    public static async Task<CheckpointStore> OpenAsync(IStateMedium medium, bool readOnly, CancellationToken cancellationToken)
    {
        if (readOnly)
            medium = new ScratchMedium(medium);
        try
        {
            await medium.HoldAsync(cancellationToken);
            return new CheckpointStore(medium, await SummaryFile.ReadAsync(medium, cancellationToken));
        }
        catch (Exception e)
        {
            await medium.DisposeAsync();
            if (FileErrors.Is(e))
                throw new CheckpointException($"{medium.Display} can't be used: {FileErrors.Explain(e)}", e);
            throw;
        }
    }

    /// <summary>Opens the checkpoints in a directory of files.</summary>
    public static Task<CheckpointStore> OpenAsync(string directory, TimeProvider time, bool readOnly, CancellationToken cancellationToken) =>
        OpenAsync(new FileMedium(new StateLocation(directory), time), readOnly, cancellationToken);

    public async Task<ICheckpoint> OpenAsync(PairKey pair, CancellationToken cancellationToken)
    {
        if (!open.TryAdd(pair, true))
            throw new InvalidOperationException($"the checkpoint of {pair} is open already");
        try
        {
            return await LoadAsync(pair, cancellationToken);
        }
        catch (Exception e)
        {
            open.TryRemove(pair, out _);
            if (FileErrors.Is(e))
                throw new CheckpointException($"the checkpoint {medium.Where(StateName.Journal(pair))} can't be used: {FileErrors.Explain(e)}", e);
            throw;
        }
    }

    public async Task<IReadOnlyList<PairKey>> FindPairsAsync(CancellationToken cancellationToken)
    {
        try
        {
            var found = new List<PairKey>();
            await foreach (var opened in medium.OpenJournalsAsync(cancellationToken))
            {
                using var journal = opened;
                if (await JournalScan.ReadPairAsync(journal, cancellationToken) is { } pair)
                    found.Add(pair);
            }

            return [.. found.OrderBy(p => p.Target).ThenBy(p => p.Source)];
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new CheckpointException($"{medium.Display} can't be used: {FileErrors.Explain(e)}", e);
        }
    }

    public async Task SaveSummariesAsync(IReadOnlyCollection<PairSummary> summaries, CancellationToken cancellationToken)
    {
        var saved = summaries.ToDictionary(s => s.Pair);
        await replacing.WaitAsync(cancellationToken);
        try
        {
            // Unchanged summaries are not written, so a run with nothing new writes and syncs nothing.
            if (saved.Count != this.summaries.Count || saved.Values.Except(this.summaries.Values).Any())
                await medium.ReplaceAsync(StateName.Summary, SummaryFile.Write(saved.Values), cancellationToken);
            this.summaries = saved;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new CheckpointException($"{medium.Where(StateName.Summary)} can't be written: {FileErrors.Explain(e)}", e);
        }
        finally
        {
            replacing.Release();
        }
    }

    public async Task RenameAsync(PairKey from, PairKey to, CancellationToken cancellationToken)
    {
        if (from == to)
            return;
        if (!open.TryAdd(from, true))
            throw new InvalidOperationException($"the checkpoint of {from} is open");
        var isFree = open.TryAdd(to, true);
        try
        {
            if (!isFree)
                throw new InvalidOperationException($"the checkpoint of {to} is open");
            await MoveJournalAsync(from, to, cancellationToken);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new CheckpointException($"the checkpoint of {from} can't be renamed: {FileErrors.Explain(e)}", e);
        }
        finally
        {
            open.TryRemove(from, out _);
            if (isFree)
                open.TryRemove(to, out _);
        }
    }

    public ValueTask DisposeAsync()
    {
        replacing.Dispose();
        return medium.DisposeAsync();
    }

    private async Task<ICheckpoint> LoadAsync(PairKey pair, CancellationToken cancellationToken)
    {
        var (condition, damage) = (CheckpointCondition.New, (string?)null);
        try
        {
            if (await ReadAsync(pair, cancellationToken) is { } read)
            {
                var continued = new Journal(medium, pair);
                continued.Continue(read.Extent);
                return NewCheckpoint(pair, read.State, read.Extent.Crc, continued, CheckpointCondition.Good, null);
            }
        }
        catch (StateDamagedException e)
        {
            condition = CheckpointCondition.Damaged;
            damage = $"{medium.Where(StateName.Journal(pair))}: {e.Message}";
            if (await medium.SetAsideAsync(StateName.Journal(pair), cancellationToken) is { } aside)
                damage += $"; kept as {aside}";
        }

        return NewCheckpoint(pair, new CheckpointState(), Journal.NewHeader(pair).Crc, new Journal(medium, pair), condition, damage);
    }

    private async Task<(CheckpointState State, CommittedExtent Extent)?> ReadAsync(PairKey pair, CancellationToken cancellationToken)
    {
        var read = await Journal.ReadAsync(medium, pair, cancellationToken);
        if (read is not { } found)
            return null;
        // A journal in an older format is rewritten instead of extended, because a file has only one format version.
        var isCurrent = found.Extent.Version == JournalRecords.Version && !doubtful.ContainsKey(pair);
        if (isCurrent && !Journal.IsWorthCompacting(found.Extent.Length, found.State))
            return found;
        await JournalSnapshot.WriteAsync(medium, pair, found.State, cancellationToken);
        doubtful.TryRemove(pair, out _);
        return await Journal.ReadAsync(medium, pair, cancellationToken);
    }

    private JournalCheckpoint NewCheckpoint(
        PairKey pair, CheckpointState state, uint crc, Journal journal, CheckpointCondition condition, string? damage) =>
        new(state, crc, journal, medium.Where(StateName.Journal(pair)), condition, damage, isDoubtful =>
        {
            if (isDoubtful)
                doubtful[pair] = true;
            open.TryRemove(pair, out _);
        });

    /// <summary>
    /// Moves the journal of one folder pair to another. It is written anew, because a journal contains its pair's name. If a crash prevents
    /// the removal of the old journal, both have the same content, and the next run requests the rename again.
    /// </summary>
    private async Task MoveJournalAsync(PairKey from, PairKey to, CancellationToken cancellationToken)
    {
        try
        {
            if (await Journal.ReadAsync(medium, from, cancellationToken) is not { } read)
                return;
            await JournalSnapshot.WriteAsync(medium, to, read.State, cancellationToken);
            await medium.RemoveAsync(StateName.Journal(from), cancellationToken);
        }
        catch (StateDamagedException)
        {
            await medium.SetAsideAsync(StateName.Journal(from), cancellationToken);
        }
    }
}
