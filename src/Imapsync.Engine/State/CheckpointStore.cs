using System.Collections.Concurrent;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>Checkpoints in a directory of files, in the format of docs/checkpoints.md.</summary>
public sealed class CheckpointStore : ICheckpointStore
{
    private readonly StateDirectory directory;
    private readonly JobLock? jobLock;
    private readonly SyncGate gate = new();
    private readonly SemaphoreSlim replacing = new(1);
    private readonly ConcurrentDictionary<PairKey, bool> open = new();

    /// <summary>Pairs whose last commit failed: the system may show octets that never reached the disk.</summary>
    private readonly ConcurrentDictionary<PairKey, bool> doubtful = new();

    /// <summary>Read-only: where the journal of a pair renamed in memory lies; null for a pair that is no longer called so.</summary>
    private readonly ConcurrentDictionary<PairKey, PairKey?> moved = new();

    private volatile IReadOnlyDictionary<PairKey, PairSummary> summaries;

    private CheckpointStore(StateDirectory directory, JobLock? jobLock, IReadOnlyDictionary<PairKey, PairSummary> summaries) =>
        (this.directory, this.jobLock, this.summaries) = (directory, jobLock, summaries);

    public IReadOnlyDictionary<PairKey, PairSummary> Summaries => summaries;

    private bool IsReadOnly => jobLock is null;

    /// <param name="directory">Absolute. Created if missing.</param>
    /// <param name="readOnly">Look only: takes no lock, creates and changes nothing on disk; changes and commits stay in memory.</param>
    /// <exception cref="CheckpointLockedException">Another run holds the job.</exception>
    /// <exception cref="CheckpointVersionException">A newer version wrote it. Nothing was changed.</exception>
    /// <exception cref="CheckpointException">The directory can't be used.</exception>
    public static async Task<CheckpointStore> OpenAsync(
        string directory, TimeProvider time, bool readOnly, CancellationToken cancellationToken)
    {
        var state = new StateDirectory(Path.GetFullPath(directory));
        JobLock? taken = null;
        try
        {
            state.RequireOurs();
            if (!readOnly)
            {
                await state.CreateAsync(cancellationToken);
                taken = JobLock.Take(state.LockFile, time);
            }

            var known = SummaryFile.Read(state.SummaryFile);
            if (!readOnly)
                state.RemoveLeftovers();
            return new CheckpointStore(state, taken, known);
        }
        catch (Exception e)
        {
            taken?.Dispose();
            if (FileErrors.Is(e))
                throw new CheckpointException($"the state directory {state.Root} can't be used: {FileErrors.Explain(e)}", e);
            throw;
        }
    }

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
                throw new CheckpointException($"the checkpoint {directory.JournalFile(pair)} can't be used: {FileErrors.Explain(e)}", e);
            throw;
        }
    }

    public async Task<IReadOnlyList<PairKey>> FindPairsAsync(CancellationToken cancellationToken)
    {
        try
        {
            var found = new List<PairKey>();
            foreach (var path in directory.FindJournals())
            {
                if (await Journal.ReadPairAsync(path, cancellationToken) is { } pair)
                    found.Add(pair);
            }

            return [.. found.OrderBy(p => p.Target).ThenBy(p => p.Source)];
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new CheckpointException($"the state directory {directory.Root} can't be used: {FileErrors.Explain(e)}", e);
        }
    }

    public async Task SaveSummariesAsync(IReadOnlyCollection<PairSummary> summaries, CancellationToken cancellationToken)
    {
        var saved = summaries.ToDictionary(s => s.Pair);
        await replacing.WaitAsync(cancellationToken);
        try
        {
            // A run with nothing new writes and syncs nothing.
            if (!IsReadOnly && !(saved.Count == this.summaries.Count && !saved.Values.Except(this.summaries.Values).Any()))
                await SummaryFile.WriteAsync(directory.SummaryFile, saved.Values, cancellationToken);
            this.summaries = saved;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw new CheckpointException($"{directory.SummaryFile} can't be written: {FileErrors.Explain(e)}", e);
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
        jobLock?.Dispose();
        gate.Dispose();
        replacing.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<ICheckpoint> LoadAsync(PairKey pair, CancellationToken cancellationToken)
    {
        var path = directory.JournalFile(pair);
        var (condition, damage) = (CheckpointCondition.New, (string?)null);
        try
        {
            if (await ReadAsync(pair, path, cancellationToken) is { } read)
            {
                var continued = IsReadOnly ? null : new Journal(path, pair, gate);
                continued?.Continue(read.Extent);
                return NewCheckpoint(pair, read.State, read.Extent.Crc, continued, CheckpointCondition.Good, null);
            }
        }
        catch (StateDamagedException e)
        {
            condition = CheckpointCondition.Damaged;
            damage = $"{path}: {e.Message}";
            if (!IsReadOnly)
                damage += $"; kept as {Path.GetFileName(await directory.SetAsideAsync(path, cancellationToken))}";
        }

        var journal = IsReadOnly ? null : new Journal(path, pair, gate);
        return NewCheckpoint(pair, new CheckpointState(), Journal.NewHeader(pair).Crc, journal, condition, damage);
    }

    private async Task<(CheckpointState State, CommittedExtent Extent)?> ReadAsync(PairKey pair, string path, CancellationToken cancellationToken)
    {
        if (IsReadOnly)
        {
            return moved.GetValueOrDefault(pair, pair) is { } written
                ? await Journal.ReadAsync(directory.JournalFile(written), written, cancellationToken)
                : null;
        }

        var read = await Journal.ReadAsync(path, pair, cancellationToken);
        if (read is not { } found)
            return null;
        // An older format is not added to but written anew: a file has one version.
        var isCurrent = found.Extent.Version == JournalRecords.Version && !doubtful.ContainsKey(pair);
        if (isCurrent && !Journal.IsWorthCompacting(new FileInfo(path).Length, found.State))
            return found;
        await JournalSnapshot.WriteAsync(path, pair, found.State, cancellationToken);
        doubtful.TryRemove(pair, out _);
        return await Journal.ReadAsync(path, pair, cancellationToken);
    }

    private FileCheckpoint NewCheckpoint(
        PairKey pair, CheckpointState state, uint crc, Journal? journal, CheckpointCondition condition, string? damage) =>
        new(state, crc, journal, directory.JournalFile(pair), condition, damage, isDoubtful =>
        {
            if (isDoubtful)
                doubtful[pair] = true;
            open.TryRemove(pair, out _);
        });

    /// <summary>
    /// The journal names its pair, so it is written anew. A crash before the old one is removed leaves both alike, and the
    /// rename is asked for again.
    /// </summary>
    private async Task MoveJournalAsync(PairKey from, PairKey to, CancellationToken cancellationToken)
    {
        if (IsReadOnly)
        {
            if (moved.GetValueOrDefault(from, from) is { } written && File.Exists(directory.JournalFile(written)))
                (moved[to], moved[from]) = (written, null);
            return;
        }

        var path = directory.JournalFile(from);
        try
        {
            if (await Journal.ReadAsync(path, from, cancellationToken) is not { } read)
                return;
            await JournalSnapshot.WriteAsync(directory.JournalFile(to), to, read.State, cancellationToken);
            await directory.RemoveAsync(path, cancellationToken);
        }
        catch (StateDamagedException)
        {
            await directory.SetAsideAsync(path, cancellationToken);
        }
    }
}
