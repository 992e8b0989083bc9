using System.Runtime.CompilerServices;
using Imapsync.Engine.Files;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.State;

/// <summary>
/// Keeps state in a directory of files, in the format of docs/checkpoints.md. A run keeps other runs of the same job away by an operating
/// system lock on one of the files.
/// </summary>
public sealed class FileMedium(StateLocation location, TimeProvider time) : IStateMedium
{
    private readonly StateDirectory directory = new(Path.GetFullPath(location.Directory));
    private readonly SyncGate gate = new();
    private JobLock? held;

    public string Display => $"the state directory {directory.Root}";

    /// <summary>Returns an opener for jobs whose state is kept in files.</summary>
    public static StateOpener Opener(TimeProvider time) => location => new FileMedium(location, time);

    public string Where(StateName name) => directory.FileOf(name);

    public Task<bool> ExistsAsync(CancellationToken cancellationToken) => Task.FromResult(Directory.Exists(directory.Root));

    public Task CheckAsync(CancellationToken cancellationToken)
    {
        directory.RequireOurs();
        return Task.CompletedTask;
    }

    public async Task MakeAsync(CancellationToken cancellationToken)
    {
        directory.RequireOurs();
        await directory.CreateAsync(cancellationToken);
    }

    public async Task HoldAsync(CancellationToken cancellationToken)
    {
        await MakeAsync(cancellationToken);
        held = JobLock.Take(directory.LockFile, time);
        directory.RemoveLeftovers();
    }

    public Task<bool> HasAsync(StateName name, CancellationToken cancellationToken) => Task.FromResult(File.Exists(Where(name)));

    public Task<IStateContent?> OpenAsync(StateName name, CancellationToken cancellationToken, bool willWrite = false)
    {
        var path = Where(name);
        if (willWrite)
            DurableFiles.RequireNoLink(path);
        return Task.FromResult<IStateContent?>(File.Exists(path) ? Open(path)
            : name == StateName.History && Directory.Exists(path) ? throw new IOException($"{path} is a directory, where a file of this program should be; move it away")
            : null);
    }

    public async IAsyncEnumerable<IStateContent> OpenJournalsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        foreach (var path in directory.FindJournals())
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return Open(path);
        }
    }

    public async Task ReplaceAsync(StateName name, Func<Stream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        RequireHold(name);
        if (!name.IsHeld)
            await DurableFiles.CreateDirectoryAsync(directory.Root, cancellationToken);
        await DurableFiles.ReplaceAsync(Where(name), write, cancellationToken);
    }

    public Task MarkAsync(StateName name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        RequireHold(name);
        var path = Where(name);
        using (var file = Posix.CreateAnew(path))
        {
            Posix.Write(file, path, content.Span, 0);
            RandomAccess.FlushToDisk(file);
        }

        Posix.SyncDirectory(directory.Root);
        return Task.CompletedTask;
    }

    public async Task RemoveAsync(StateName name, CancellationToken cancellationToken)
    {
        RequireHold(name);
        if (name.Pair is null)
            File.Delete(Where(name));
        else
            await directory.RemoveAsync(Where(name), cancellationToken);
    }

    public async Task<string?> SetAsideAsync(StateName name, CancellationToken cancellationToken)
    {
        RequireHold(name);
        return Path.GetFileName(await directory.SetAsideAsync(Where(name), cancellationToken));
    }

    public IStateLog Continue(StateName name, long length)
    {
        RequireHold(name);
        return new Log(Where(name), length, gate);
    }

    public IDisposable? TryTakeTurn() => Posix.TryLockDirectory(directory.Root);

    public string LocalDirectory(string use) => Path.Combine(directory.Root, use);

    public ValueTask DisposeAsync()
    {
        held?.Dispose();
        held = null;
        gate.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>Opens a file for reading, even while others write to it.</summary>
    internal static IStateContent Open(string path)
    {
        Nodes.RequireNoDevice(path);
        return new Content(path, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
    }

    /// <summary>Throws unless this instance holds the job's lock. Otherwise a bug could write state after the lock was released.</summary>
    private void RequireHold(StateName name)
    {
        if (name.IsHeld && held is null)
            throw new CheckpointLockedException($"{Where(name)} is written by none but the holder of the job, and this run does not hold it any more");
    }

    private sealed class Content(string path, SafeFileHandle file) : IStateContent
    {
        public string Display => path;

        public long Length => RandomAccess.GetLength(file);

        public ValueTask<int> ReadAsync(Memory<byte> buffer, long offset, CancellationToken cancellationToken) =>
            RandomAccess.ReadAsync(file, buffer, offset, cancellationToken);

        public void Dispose() => file.Dispose();
    }

    private sealed class Log : IStateLog
    {
        private readonly SafeFileHandle file;
        private readonly SyncGate gate;
        private long length;

        public Log(string path, long length, SyncGate gate)
        {
            (this.length, this.gate) = (length, gate);
            file = Posix.OpenOwn(path, create: false);
            if (RandomAccess.GetLength(file) != length)
                RandomAccess.SetLength(file, length);
        }

        public async Task AppendAsync(ReadOnlyMemory<byte> batch)
        {
            await RandomAccess.WriteAsync(file, batch, length);
            length += batch.Length;
            await gate.SyncAsync(file);
        }

        public void Dispose() => file.Dispose();
    }
}
