using System.Collections.Immutable;
using System.Security.Cryptography;
using Imapsync.Engine.Files;
using Imapsync.Engine.State;

namespace Imapsync.Engine.History;

/// <summary>
/// What was done with a job, in the file <c>history</c> of its state (docs/checkpoints.md). Nothing depends on it: damaged or gone it costs
/// what it told. Several processes may add to it at once. All failures are <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.
/// </summary>
public sealed class JobHistory(string stateDirectory, TimeProvider time)
{
    /// <summary>The file is thinned before it grows beyond this; one entry may still follow.</summary>
    public const int MostBytes = 2 * HistoryThinning.MostBytes;

    /// <summary>Ours are far shorter; what is longer is not read.</summary>
    private const long MostReadBytes = 64 << 20;

    private const int LeastBytes = 64 << 10;
    private const int Tries = 100;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private string FilePath => Path.Combine(stateDirectory, StateDirectory.HistoryName);

    /// <summary>All that is known, the oldest first. Damage is passed over.</summary>
    /// <exception cref="NewerHistoryException"/>
    public async Task<ImmutableArray<HistoryEntry>> ReadAsync(CancellationToken cancellationToken) => [.. HistoryLines.Read(await ReadOctetsAsync(cancellationToken), out _)];

    /// <summary>The same without what entries say of folders: quick enough for very many jobs.</summary>
    /// <exception cref="NewerHistoryException"/>
    public async Task<ImmutableArray<HistoryEntry>> ReadWithoutFoldersAsync(CancellationToken cancellationToken) =>
        [.. HistoryLines.Read(await ReadOctetsAsync(cancellationToken), out _, skipsFolders: true)];

    /// <summary>Notes that something begins. Durable when this returns.</summary>
    /// <param name="makesState">Where there is no state directory as yet, make it; without this nothing is noted there.</param>
    /// <returns>To be given to <see cref="EndAsync"/> with its end; null where nothing was noted.</returns>
    public async Task<HistoryEntry?> BeginAsync(HistoryKind kind, bool makesState, CancellationToken cancellationToken)
    {
        var directory = new StateDirectory(stateDirectory);
        if (!makesState && !Directory.Exists(stateDirectory))
            return null;
        // Nothing is written where somebody else's files lie.
        directory.RequireOurs();
        await directory.CreateAsync(cancellationToken);
        var entry = new HistoryEntry(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6)), kind, time.GetUtcNow())
        {
            Process = new HistoryProcess(Environment.ProcessId, Environment.MachineName),
        };
        // Synced, or after a power cut in the middle of this run the one before would pass for the last.
        await AddAsync(entry, cancellationToken);
        return entry;
    }

    /// <summary>Notes how it ended. Durable when this returns.</summary>
    public Task EndAsync(HistoryEntry ended, CancellationToken cancellationToken) => AddAsync(ended, cancellationToken);

    private async Task AddAsync(HistoryEntry entry, CancellationToken cancellationToken)
    {
        using var turn = await TakeTurnAsync(cancellationToken);
        var lines = new RecordWriter(isChained: false);
        HistoryLines.Write(lines, entry);
        if (!await MayAppendAsync(lines.Written.Length, cancellationToken))
        {
            await RewriteAsync(entry, cancellationToken);
            return;
        }

        using var file = Posix.OpenOwn(FilePath, create: false);
        var length = RandomAccess.GetLength(file);
        var last = new byte[1];
        // What a crash tore is closed, else it would take this line with it.
        var isTorn = RandomAccess.Read(file, last, length - 1) == 1 && last[0] != '\n';
        Posix.Write(file, FilePath, isTorn ? (byte[])[(byte)'\n', .. lines.Written.Span] : lines.Written.Span, length);
        await DurableFiles.SyncAsync(file, cancellationToken);
    }

    /// <summary>False where the file has to be written anew: it is not there, has lost its head, or is due to be thinned.</summary>
    private async Task<bool> MayAppendAsync(int more, CancellationToken cancellationToken)
    {
        const int HeadBytes = 128;
        DurableFiles.RequireNoLink(FilePath);
        if (!File.Exists(FilePath))
            return false;
        var head = new byte[HeadBytes];
        int count;
        long length;
        var file = new FileStream(FilePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
        await using (file.ConfigureAwait(false))
        {
            length = file.Length;
            count = await file.ReadAtLeastAsync(head, HeadBytes, throwOnEndOfStream: false, cancellationToken);
        }

        _ = HistoryLines.Read(head.AsSpan(0, count), out var thinned);
        return head.AsSpan(0, count).StartsWith(HistoryLines.Magic)
            && length + more <= Math.Min(Math.Max(LeastBytes, 2 * thinned), MostBytes);
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
        await DurableFiles.ReplaceAsync(FilePath, async (stream, c) => await stream.WriteAsync(file, c), cancellationToken);
    }

    private async Task<byte[]> ReadOctetsAsync(CancellationToken cancellationToken)
    {
        Nodes.RequireNoDevice(FilePath);
        if (Directory.Exists(FilePath))
            throw new IOException($"{FilePath} is a directory, where a file of this program should be; move it away");
        if (!File.Exists(FilePath) || new FileInfo(FilePath).Length > MostReadBytes)
            return [];
        var file = new FileStream(FilePath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 0);
        await using (file.ConfigureAwait(false))
        {
            var octets = new byte[file.Length];
            var count = await file.ReadAtLeastAsync(octets, octets.Length, throwOnEndOfStream: false, cancellationToken);
            return octets[..count];
        }
    }

    private async Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            if (Posix.TryLockDirectory(stateDirectory) is { } turn)
                return turn;
            if (tries == Tries)
                throw new IOException($"{stateDirectory} is held by another process");
            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}
