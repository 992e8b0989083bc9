using System.Collections.Concurrent;
using System.Data.Common;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using Imapsync.Engine.State;

namespace Imapsync.Fleet.State;

/// <summary>
/// A job's state in the fleet's database, written by one attempt. A write succeeds only while the attempt's lease is valid, so a worker
/// that was presumed dead can write nothing. If the connection is lost during a write, its outcome is unknown. Then the number of the hold
/// (the lock on the state) is changed first, so that the earlier write can't take effect any more. Then the write is repeated, which does
/// no harm.
/// </summary>
/// <param name="directory">A directory on this machine for the UIDs of messages in other mail programs' files; null for none.</param>
/// <param name="older">The state to copy into a new state before its first use; null for none.</param>
internal sealed class DatabaseState(StateTables tables, StateLocation location, StateWriter writer, TimeProvider time, string? directory = null, OlderState? older = null) : IStateMedium
{
    /// <summary>How often one read or write is tried at most.</summary>
    private const int Tries = 20;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(500);

    private readonly StateTables tables = tables;
    private readonly StateWriter writer = writer;
    private readonly string part = location.Part ?? "";
    private readonly ConcurrentDictionary<string, StoredPiece> known = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim renumbering = new(1);
    private long? state;

    /// <summary>The number of this instance's hold (its lock on the state); 0 while it holds nothing.</summary>
    private long hold;

    public string Display => $"the state of account {writer.Account} in {tables.Display}";

    public string Where(StateName name) => $"{KeyOf(name)} of account {writer.Account} in {tables.Display}";

    public async Task<bool> ExistsAsync(CancellationToken cancellationToken) => await FindAsync(cancellationToken) is not null;

    public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task MakeAsync(CancellationToken cancellationToken) =>
        state ??= await AgainAsync(() => tables.MakeAsync(location.Job, part, writer, cancellationToken)) ?? throw Lost();

    public async Task HoldAsync(CancellationToken cancellationToken)
    {
        var number = StateTables.NewHold();
        var holder = string.Create(CultureInfo.InvariantCulture, $"pid {Environment.ProcessId} on {Environment.MachineName}, worker {writer.Worker}, account {writer.Account}, attempt {writer.Attempt}");
        var held = await AgainAsync(() => tables.HoldAsync(location.Job, part, writer, number, holder, older is null, cancellationToken));
        if (held is not { } taken)
        {
            var other = await AgainAsync(() => tables.HolderAsync(location.Job, part, cancellationToken));
            throw other.Length > 0 ? new CheckpointLockedException($"another run holds this job: {other}") : Lost();
        }

        (state, hold) = (taken.State, number);
        if (older is null)
            return;
        if (!taken.Begun)
        {
            await older.CopyToAsync(this, cancellationToken);
            await WriteAsync(isHeld: true, (id, mine) => tables.BeginAsync(id, mine, writer, cancellationToken));
        }

        older.Remove();
    }

    public async Task<bool> HasAsync(StateName name, CancellationToken cancellationToken) => await LookAsync(KeyOf(name), cancellationToken) is not null;

    public async Task<IStateContent?> OpenAsync(StateName name, CancellationToken cancellationToken, bool willWrite = false) => await OpenAsync(KeyOf(name), Where(name), cancellationToken);

    public async IAsyncEnumerable<IStateContent> OpenJournalsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (await FindAsync(cancellationToken) is not { } id)
            yield break;
        foreach (var key in await AgainAsync(() => tables.NamesAsync(id, "journal ", cancellationToken)))
        {
            if (await OpenAsync(key, $"{key} of account {writer.Account} in {tables.Display}", cancellationToken) is { } content)
                yield return content;
        }
    }

    public async Task ReplaceAsync(StateName name, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        // The whole content is built in memory, because it is small: a rewritten journal takes some 44 octets for each message.
        using var content = new MemoryStream();
        await write(content, cancellationToken);
        var octets = content.GetBuffer().AsMemory(0, (int)content.Length);
        if (!name.IsHeld)
            await MakeAsync(cancellationToken);
        await WriteAsync(name.IsHeld, async (id, mine) =>
        {
            if (await tables.ReplaceAsync(id, mine, writer, KeyOf(name), octets, cancellationToken) is not { } piece)
                return false;
            known[KeyOf(name)] = piece;
            return true;
        });
    }

    public Task MarkAsync(StateName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        ReplaceAsync(name, async (stream, token) => await stream.WriteAsync(content, token), cancellationToken);

    public Task RemoveAsync(StateName name, CancellationToken cancellationToken) =>
        WriteAsync(name.IsHeld, (id, mine) => tables.RemoveAsync(id, mine, writer, KeyOf(name), cancellationToken));

    public async Task<string?> SetAsideAsync(StateName name, CancellationToken cancellationToken)
    {
        await WriteAsync(name.IsHeld, (id, mine) => tables.SetAsideAsync(id, mine, writer, KeyOf(name), cancellationToken));
        return $"a damaged {KeyOf(name)}";
    }

    public IStateLog Continue(StateName name, long length)
    {
        RequireHold(name.IsHeld);
        // A piece of state that only the holder may write is still as this instance left it. Any other piece may have been changed by
        // another process.
        if (!name.IsHeld || !known.TryGetValue(KeyOf(name), out var piece) || piece.Length != length)
            piece = Wait(() => CutAsync(name, length));
        return new Log(this, name, piece);
    }

    public IDisposable? TryTakeTurn()
    {
        if (Wait(() => FindAsync(CancellationToken.None)) is not { } id)
            return null;
        return Wait(() => AgainAsync(() => tables.TakeTurnAsync(id, CancellationToken.None))) is { } turn ? new Turn(this, id, turn) : null;
    }

    public string? LocalDirectory(string use) => directory is null ? null : Path.Combine(directory, use);

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref hold, 0) is not 0 and var mine)
        {
            try
            {
                await tables.ReleaseAsync(state!.Value, mine, CancellationToken.None);
            }
            catch (Exception e) when (tables.IsAway(e) || e is DbException)
            {
                // The hold could not be released, but it becomes void when the lease expires.
            }
        }

        renumbering.Dispose();
    }

    /// <summary>Returns a piece's name in the tables. A journal's name is a digest of its pair of folders.</summary>
    private static string KeyOf(StateName name) => name.Pair is { } pair
        ? "journal " + Convert.ToHexStringLower(SHA256.HashData(Encoding.Unicode.GetBytes($"{pair.Source}\0{pair.Target}")).AsSpan(0, 16))
        : name.Word;

    private async Task<long?> FindAsync(CancellationToken cancellationToken) => state ??= await AgainAsync(() => tables.FindAsync(location.Job, part, cancellationToken));

    private async Task<StoredPiece?> LookAsync(string key, CancellationToken cancellationToken) =>
        await FindAsync(cancellationToken) is { } id ? await AgainAsync(() => tables.LookAsync(id, key, cancellationToken)) : null;

    private async Task<IStateContent?> OpenAsync(string key, string display, CancellationToken cancellationToken)
    {
        if (await LookAsync(key, cancellationToken) is not { } piece)
            return null;
        known[key] = piece;
        return new Content(this, display, piece);
    }

    private async Task<StoredPiece> CutAsync(StateName name, long length)
    {
        StoredPiece? found = null;
        await WriteAsync(name.IsHeld, async (id, mine) =>
        {
            (var isDone, found) = await tables.CutAsync(id, mine, writer, KeyOf(name), length, CancellationToken.None);
            return isDone;
        });
        return known[KeyOf(name)] = found ?? throw new IOException($"{Where(name)} is not there, or shorter than it was");
    }

    /// <param name="isHeld">Whether only the holder of the state may write this piece.</param>
    /// <param name="write">
    /// Writes, given the database ids of the state and of the hold (the lock on the state; null for none). Returns false if refused.
    /// </param>
    private async Task WriteAsync(bool isHeld, Func<long, long?, Task<bool>> write)
    {
        for (var tries = 1; ; tries++)
        {
            RequireHold(isHeld);
            long? mine = isHeld ? Interlocked.Read(ref hold) : null;
            try
            {
                writer.Require();
                if (await write(state ?? throw new IOException($"{Display} is not there"), mine))
                    return;
                // Another write of this attempt may have changed the hold's number meanwhile. If so, this write is tried again with the new
                // number.
                if (!isHeld || mine == Interlocked.Read(ref hold) || tries >= Tries)
                    throw Lost();
            }
            catch (Exception e) when (tries < Tries && tables.IsAway(e))
            {
                if (tries > 1)
                    await Task.Delay(RetryInterval, time);
                if (mine is { } number)
                    await RenumberAsync(number);
            }
            catch (Exception e) when (e is DbException || tables.IsAway(e))
            {
                throw Failed(e);
            }
        }
    }

    private async Task RenumberAsync(long lost)
    {
        await renumbering.WaitAsync();
        try
        {
            if (Interlocked.Read(ref hold) != lost)
                return;
            var next = StateTables.NewHold();
            if (!await AgainAsync(() => tables.RenumberAsync(state!.Value, lost, next, writer, CancellationToken.None)))
                throw Lost();
            Interlocked.Exchange(ref hold, next);
        }
        finally
        {
            renumbering.Release();
        }
    }

    /// <summary>
    /// Runs work that may be repeated. If the database can't be reached, repeats the work for as long as the attempt's lease is valid.
    /// </summary>
    private async Task<T> AgainAsync<T>(Func<Task<T>> work)
    {
        for (var tries = 1; ; tries++)
        {
            writer.Require();
            try
            {
                return await work();
            }
            catch (Exception e) when (tries < Tries && tables.IsAway(e))
            {
                await Task.Delay(RetryInterval, time);
            }
            catch (Exception e) when (e is DbException || tables.IsAway(e))
            {
                throw Failed(e);
            }
        }
    }

    private void RequireHold(bool isHeld)
    {
        if (isHeld && Interlocked.Read(ref hold) == 0)
            throw new CheckpointLockedException($"{Display} is written by none but the holder of the job, and this attempt does not hold it");
    }

    /// <summary>
    /// Blocks until asynchronous work has ended, because some members of the interface are synchronous. The work runs on the thread pool.
    /// </summary>
    private static T Wait<T>(Func<Task<T>> work) => Task.Run(work).GetAwaiter().GetResult();

    private IOException Failed(Exception e) => new($"{Display}: {e.Message}", e);

    private CheckpointLockedException Lost() =>
        new(string.Create(CultureInfo.InvariantCulture, $"account {writer.Account} is no longer this worker's: attempt {writer.Attempt} by {writer.Worker} has lost its lease or its hold, and nothing was written"));

    private sealed class Content(DatabaseState medium, string display, StoredPiece piece) : IStateContent
    {
        private List<(long Start, byte[] Octets)> parts = [];

        public string Display => display;

        public long Length => piece.Length;

        public async ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancellationToken)
        {
            if (offset >= piece.Length || buffer.Length == 0)
                return 0;
            if (Find(offset) is not { } found)
            {
                parts = await medium.AgainAsync(() => medium.tables.ReadAsync(piece.Id, offset, cancellationToken));
                found = Find(offset) ?? throw new IOException($"{display} was replaced while it was read");
            }

            var octets = found.Octets.AsMemory((int)(offset - found.Start));
            var count = (int)Math.Min(Math.Min(octets.Length, buffer.Length), piece.Length - offset);
            octets[..count].CopyTo(buffer);
            return count;
        }

        public void Dispose() => parts = [];

        private (long Start, byte[] Octets)? Find(long offset)
        {
            foreach (var candidate in parts)
            {
                if (offset >= candidate.Start && offset < candidate.Start + candidate.Octets.Length)
                    return candidate;
            }

            return null;
        }
    }

    private sealed class Log(DatabaseState medium, StateName name, StoredPiece opened) : IStateLog
    {
        private StoredPiece piece = opened;

        public async Task AppendAsync(ReadOnlyMemory<byte> batch)
        {
            await medium.WriteAsync(name.IsHeld, (id, mine) => medium.tables.AppendAsync(id, mine, medium.writer, piece.Id, piece.Length, batch, CancellationToken.None));
            piece = piece with { Length = piece.Length + batch.Length };
            medium.known[KeyOf(name)] = piece;
        }

        public void Dispose()
        {
        }
    }

    private sealed class Turn(DatabaseState medium, long state, long turn) : IDisposable
    {
        public void Dispose()
        {
            try
            {
                Wait(async () =>
                {
                    await medium.tables.EndTurnAsync(state, turn, CancellationToken.None);
                    return true;
                });
            }
            catch (Exception e) when (medium.tables.IsAway(e) || e is DbException)
            {
                // The turn could not be ended, but it expires by itself.
            }
        }
    }
}
