using Imapsync.Engine.Files;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.State;

/// <summary>One pair's journal file. Created with its first batch, whole or not at all; appended to and synced batch by batch.</summary>
internal sealed class Journal(string path, PairKey pair, SyncGate gate) : IDisposable
{
    /// <summary>Below this a journal isn't worth rewriting.</summary>
    private const long MinCompactionBytes = 64 * 1024;

    /// <summary>How many octets a message costs when written anew, near enough.</summary>
    private const long BytesPerMessage = 44;

    private SafeFileHandle? file;
    private long length;

    /// <summary>Reads it; null where there is none. Nothing is changed.</summary>
    /// <exception cref="StateDamagedException">It can't be trusted.</exception>
    /// <exception cref="CheckpointVersionException">It is of a newer version.</exception>
    public static async Task<(CheckpointState State, CommittedExtent Extent)?> ReadAsync(string path, PairKey pair, CancellationToken cancellationToken)
    {
        if (!File.Exists(path))
            return null;
        Nodes.RequireNoDevice(path);
        using var journal = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var extent = await JournalScan.CheckAsync(journal, path, pair, cancellationToken);
        return (await JournalScan.ReplayAsync(journal, extent, cancellationToken), extent);
    }

    /// <summary>Which pair a journal belongs to; null where that can't be read.</summary>
    public static async Task<PairKey?> ReadPairAsync(string path, CancellationToken cancellationToken)
    {
        Nodes.RequireNoDevice(path);
        using var journal = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        return await JournalScan.ReadPairAsync(journal, path, cancellationToken);
    }

    /// <summary>Goes on after what was read; what follows it is cut off.</summary>
    public void Continue(CommittedExtent extent)
    {
        file = Open();
        RandomAccess.SetLength(file, extent.CommittedBytes);
        length = extent.CommittedBytes;
    }

    /// <summary>Appends one batch that ends with a commit, and syncs. The first creates the file.</summary>
    /// <param name="batch">Its first line goes on from the last one's CRC: the file's, or <see cref="NewHeader"/>'s.</param>
    public async Task AppendAsync(ReadOnlyMemory<byte> batch)
    {
        if (file is null)
        {
            var header = NewHeader(pair);
            await DurableFiles.ReplaceAsync(path, async (stream, token) =>
            {
                await stream.WriteAsync(header.Written, token);
                await stream.WriteAsync(batch, token);
            }, CancellationToken.None);
            file = Open();
            length = header.Written.Length + batch.Length;
            return;
        }

        await RandomAccess.WriteAsync(file, batch, length);
        length += batch.Length;
        await gate.SyncAsync(file);
    }

    /// <summary>What a file that is not there yet begins with; the first batch goes on from its CRC.</summary>
    public static RecordWriter NewHeader(PairKey pair)
    {
        var writer = new RecordWriter();
        JournalRecords.WriteHeader(writer, pair);
        return writer;
    }

    /// <summary>Most of the file is history.</summary>
    public static bool IsWorthCompacting(long length, CheckpointState state) =>
        length > MinCompactionBytes && length > 4 * BytesPerMessage * (state.Messages.Count + 16L);

    /// <summary>Writes the state in place of its history, if that is worth it. Nothing can be appended afterwards.</summary>
    public async Task FinishAsync(CheckpointState state)
    {
        if (file is not null && IsWorthCompacting(length, state))
            await JournalSnapshot.WriteAsync(path, pair, state, CancellationToken.None);
    }

    public void Dispose() => file?.Dispose();

    private SafeFileHandle Open() => Posix.OpenOwn(path, create: false);
}
