using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Local;

/// <summary>How local stores make and judge files: private to their owner, and never following what others left in the way.</summary>
internal static class LocalFiles
{
    private const UnixFileMode DirectoryMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>A new file, 0600, unbuffered; fails where anything of that name exists.</summary>
    public static FileStreamOptions CreateNew { get; } = Private(FileMode.CreateNew);

    /// <summary>A file opened for writing at its end or anywhere, created with 0600 where there is none.</summary>
    public static FileStreamOptions OpenOrCreate { get; } = Private(FileMode.OpenOrCreate);

    /// <summary>A file that is there, opened for reading and writing.</summary>
    public static FileStreamOptions OpenExisting { get; } = Private(FileMode.Open);

    public static FileStreamOptions Read { get; } = new()
    {
        Mode = FileMode.Open,
        Access = FileAccess.Read,
        Share = FileShare.ReadWrite | FileShare.Delete,
        BufferSize = 0,
    };

    /// <summary>Makes a directory, and those above it that are not there, for its owner alone.</summary>
    public static void CreateDirectory(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
            return;
        }

        if (Posix.TryCreateDirectory(path) is not { } isNew)
        {
            // One by one: the system's call gives the mode to the last of them only.
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
    /// Makes a store's root where there is none, and throws at once where nothing could be written to it: once, not for each folder.
    /// The root's own name is on disk before anything in it counts as being there.
    /// </summary>
    public static void CreateRoot(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var made = path;
        while (Path.GetDirectoryName(made) is { } above && !Path.Exists(above))
            made = above;
        CreateDirectory(path);
        Posix.RequireWritable(path);
        // One that holds nothing may have been made by a run that was killed before it came to this.
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
                // Whoever may make a directory in it need not be allowed to read it.
            }

            if (level == made)
                break;
        }
    }

    /// <summary>A directory itself, not a symbolic link to one: a link may lead out of the tree.</summary>
    public static bool IsRealDirectory(string path) => Judge(path) == true;

    /// <summary>True for a directory itself, false for anything else, null where nothing is: one look, since attributes are of the entry and not of what it leads to.</summary>
    public static bool? Judge(string path)
    {
        const FileAttributes None = (FileAttributes)(-1);
        var info = new DirectoryInfo(path);
        var attributes = info.Attributes;
        if (attributes == None)
            return null;
        return attributes.HasFlag(FileAttributes.Directory) && (!attributes.HasFlag(FileAttributes.ReparsePoint) || info.LinkTarget is null);
    }

    /// <summary>A new file open for writing. An older one of that name goes: it may be anything, even a link to somewhere else.</summary>
    public static SafeFileHandle CreateAnew(string path)
    {
        Posix.CreateAnew(path).Dispose();
        return File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
    }

    /// <summary>Puts whole new contents in place of a small file, durably: temporary file, sync, rename, sync.</summary>
    /// <param name="sync">False where the caller syncs file and directory later, with what else is new there; until then a power cut may leave the file empty.</param>
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

    /// <summary>Writes a file that will take another's place. What was begun goes if that fails: it may be what fills the disk.</summary>
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

    /// <summary>What a failed call on a file means for the job.</summary>
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

    /// <summary>Runs an action on files; what goes wrong comes out as a <see cref="MailException"/>.</summary>
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

    /// <summary>Works on a folder's file; what goes wrong comes out as a <see cref="MailException"/> about the folder.</summary>
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

    /// <summary>Deletes as many as can be deleted.</summary>
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
                // Temporary files by their names: the next run that opens the folder tries again.
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
