using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// Creates and examines files for local stores: files are private to their owner, and symbolic links placed by others are never followed.
/// </summary>
internal static class LocalFiles
{
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Options for a new file, 0600, unbuffered; opening fails where anything of that name exists.</summary>
    public static FileStreamOptions CreateNew { get; } = Private(FileMode.CreateNew);

    /// <summary>Options for a file opened for writing, created with 0600 where it does not exist.</summary>
    public static FileStreamOptions OpenOrCreate { get; } = Private(FileMode.OpenOrCreate);

    /// <summary>Options for an existing file, opened for reading and writing.</summary>
    public static FileStreamOptions OpenExisting { get; } = Private(FileMode.Open);

    public static FileStreamOptions Read { get; } = new()
    {
        Mode = FileMode.Open,
        Access = FileAccess.Read,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
    };

    /// <summary>Creates a directory, and its missing parents, for its owner alone.</summary>
    public static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        if (Posix.TryCreateDirectory(path) is not { } isNew)
        {
            // Each missing directory is created by a call of its own, since a call that creates several applies the mode only to the last one.
            if (Path.GetDirectoryName(Path.TrimEndingDirectorySeparator(path)) is { Length: > 0 } parent && !Path.Exists(parent))
                CreateDirectory(parent);
            Directory.CreateDirectory(path, DirectoryMode);
        }
        else if (!isNew && !Directory.Exists(path))
        {
            throw new IOException($"{path} is in the way: it is no directory", Posix.EEXIST);
        }
    }

    /// <summary>
    /// Creates a store's root where it does not exist. Throws where nothing can be written to it, so that this is reported once instead of
    /// for each folder. The root's own entry in its parent directory is synced first, since nothing inside the root is durable before that.
    /// </summary>
    public static void CreateRoot(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var made = path;
        while (Path.GetDirectoryName(made) is { } above && !Path.Exists(above))
            made = above;
        CreateDirectory(path);
        Posix.RequireWritable(path);
        // A run that was killed may have created the root without syncing its name. So a root is known to be durable only if it has contents.
        if (Directory.EnumerateFileSystemEntries(path).Any())
            return;
        for (var level = path; Path.GetDirectoryName(level) is { } parent; level = parent)
        {
            try
            {
                Posix.SyncDirectory(parent);
            }
            catch (UnauthorizedAccessException)
            {
                // The parent can't be opened to be synced, since a user who may create a directory in it need not be allowed to read it.
            }

            if (level == made)
                break;
        }
    }

    /// <summary>Returns whether the path is a real directory. A symbolic link to a directory is not, since it may lead out of the tree.</summary>
    public static bool IsRealDirectory(string path) => Judge(path) == true;

    /// <summary>
    /// Returns true for a real directory, false for anything else, including a symbolic link, and null where nothing exists. One query is enough, since
    /// it returns the attributes of a link itself and not those of its destination.
    /// </summary>
    public static bool? Judge(string path)
    {
        const FileAttributes None = (FileAttributes)(-1);
        var info = new DirectoryInfo(path);
        var attributes = info.Attributes;
        if (attributes == None)
            return null;
        return attributes.HasFlag(FileAttributes.Directory) && (!attributes.HasFlag(FileAttributes.ReparsePoint) || info.LinkTarget is null);
    }

    /// <summary>
    /// Creates a file and opens it for writing. Whatever has that name is removed first, since it may be anything, even a link to somewhere else.
    /// </summary>
    public static SafeFileHandle CreateAnew(string path)
    {
        Posix.CreateAnew(path).Dispose();
        return File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>Replaces the whole contents of a small file durably: temporary file, sync, rename, sync.</summary>
    /// <param name="sync">
    /// False where the caller syncs file and directory later, together with other changes; until then a power cut may leave the file empty.
    /// </param>
    public static void Replace(string path, ReadOnlySpan<byte> contents, bool sync = true)
    {
        var temporary = path + ".imapsync-new";
        try
        {
            using (var file = Posix.CreateAnew(temporary))
            {
                Posix.Write(file, temporary, contents, 0);
                if (sync)
                    RandomAccess.FlushToDisk(file);
            }

            Posix.Rename(temporary, path);
        }
        catch
        {
            TryDelete([temporary]);
            throw;
        }

        if (sync)
            Posix.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>
    /// Writes a temporary file that will replace another one. If that fails, the temporary file is removed, since the disk may be full because of it.
    /// </summary>
    public static async Task<T> WriteBesideAsync<T>(string temporary, Func<SafeFileHandle, Task<T>> write)
    {
        try
        {
            using var file = CreateAnew(temporary);
            return await write(file);
        }
        catch
        {
            TryDelete([temporary]);
            throw;
        }
    }

    /// <summary>Translates a failed file operation into a failure of the job.</summary>
    public static MailException Failure(Exception cause, FailureScope scope, string what)
    {
        if (cause is MailException known)
            return known;
        return new MailException(FileErrors.IsEverywhere(cause) ? FailureScope.Store : scope, isTransient: false, $"{what}: {FileErrors.Explain(cause)}", cause)
        {
            Kind = FileErrors.IsNoSpace(cause) ? FailureKind.Quota
                : cause is DirectoryNotFoundException or FileNotFoundException && !FileErrors.IsEverywhere(cause) ? FailureKind.Gone
                : FailureKind.Other,
        };
    }

    /// <summary>Runs a file operation; a failure is thrown as a <see cref="MailException"/>.</summary>
    public static T Guard<T>(FailureScope scope, string what, Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw Failure(e, scope, what);
        }
    }

    /// <summary>Runs an operation on a folder's file; a failure is thrown as a <see cref="MailException"/> of folder scope.</summary>
    public static async Task<T> GuardAsync<T>(string path, Func<Task<T>> action)
    {
        try
        {
            return await action();
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw Failure(e, FailureScope.Folder, path);
        }
    }

    /// <inheritdoc cref="GuardAsync{T}(string, Func{Task{T}})"/>
    public static async ValueTask GuardAsync(string path, Func<ValueTask> action)
    {
        try
        {
            await action();
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            throw Failure(e, FailureScope.Folder, path);
        }
    }

    /// <summary>Deletes as many of the files as can be deleted.</summary>
    public static void TryDelete(IEnumerable<string> files)
    {
        foreach (var file in files)
        {
            try
            {
                File.Delete(file);
            }
            catch (Exception e) when (FileErrors.Is(e))
            {
                // A failure is ignored. These files have names of temporary files, so the next run that opens the folder tries again to delete them.
            }
        }
    }

    private static FileStreamOptions Private(FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.ReadWrite, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows() && mode != FileMode.Open)
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }
}
