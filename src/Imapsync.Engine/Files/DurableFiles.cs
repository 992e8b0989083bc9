using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Files;

/// <summary>
/// Changes files and directories so that the changes survive a power cut. A new name is durable only once its directory has been synced,
/// too (fsync(2), NOTES). All failures are <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.
/// </summary>
public static class DurableFiles
{
    /// <summary>The suffix of a file that is written to replace another one; such a file is left over only after a crash.</summary>
    public const string TemporarySuffix = ".tmp";

    private static readonly SyncPace Pace = new(TimeProvider.System);

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Syncs a directory, so that the creation, renaming and removal of names in it is durable.</summary>
    public static Task SyncDirectoryAsync(string directory, CancellationToken cancellationToken) =>
        Pace.RunAsync(() => Posix.SyncDirectory(directory), cancellationToken);

    /// <summary>Syncs a file's data and size. Blocks one thread while the device works, since there is no asynchronous sync.</summary>
    public static Task SyncAsync(SafeFileHandle file, CancellationToken cancellationToken) =>
        Pace.RunAsync(() => RandomAccess.FlushToDisk(file), cancellationToken);

    /// <summary>
    /// Creates or replaces a file atomically: at any moment the name shows either the old content or the complete new one. The file is
    /// readable by its owner only.
    /// </summary>
    /// <param name="write">Writes the content; its exceptions pass through, and the old content stays.</param>
    public static async Task ReplaceAsync(
        string path, Func<FileStream, CancellationToken, Task> write, CancellationToken cancellationToken)
    {
        var temporary = path + TemporarySuffix;
        try
        {
            Nodes.RequireNoDevice(path);
            var file = new FileStream(Posix.CreateAnew(temporary), FileAccess.Write, bufferSize: 0);
            await using (file.ConfigureAwait(false))
            {
                await write(file, cancellationToken);
                await file.FlushAsync(cancellationToken);
                await SyncAsync(file.SafeFileHandle, cancellationToken);
            }

            Posix.Rename(temporary, path);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        await SyncDirectoryAsync(Path.GetDirectoryName(path)!, CancellationToken.None);
    }

    /// <summary>Throws where the path is a symbolic link: whoever created the link would decide which file is written.</summary>
    public static void RequireNoLink(string path)
    {
        if (new FileInfo(path).LinkTarget is not null)
            throw new IOException($"{path} is a symbolic link, which is not followed: it may lead to any file; put what it points to in its place, or remove it");
    }

    /// <summary>Returns options for a file that only its owner can read if it is created.</summary>
    public static FileStreamOptions ForOwner(FileMode mode, FileAccess access, FileShare share = FileShare.ReadWrite | FileShare.Delete)
    {
        var options = new FileStreamOptions { Mode = mode, Access = access, Share = share, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode is not FileMode.Open)
            options.UnixCreateMode = OwnerOnly;
        return options;
    }

    /// <summary>
    /// Creates a directory, and its missing parents, for its owner only; durable when this returns. Existing directories stay unchanged.
    /// </summary>
    public static async Task CreateDirectoryAsync(string directory, CancellationToken cancellationToken)
    {
        if (Directory.Exists(directory))
            return;
        if (Path.GetDirectoryName(directory) is { Length: > 0 } parent)
        {
            await CreateDirectoryAsync(parent, cancellationToken);
            CreateForOwner(directory);
            await SyncDirectoryAsync(parent, cancellationToken);
        }
        else
        {
            CreateForOwner(directory);
        }
    }

    /// <summary>
    /// Creates a directory and its missing parents for their owner only, without syncing them. Does nothing if the directory exists.
    /// </summary>
    public static void CreateForOwner(string directory)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(directory);
        else
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
    }
}
