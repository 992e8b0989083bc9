namespace Imapsync.Servers.Tests.Crash.States;

internal enum FileOperationKind
{
    /// <summary>Creates a named file, or truncates an existing file to length 0.</summary>
    Create,
    Truncate,
    MakeDirectory,

    /// <summary>Creates a file without a name (O_TMPFILE).</summary>
    CreateNameless,
    Write,
    Rename,
    Link,

    /// <summary>Removes a file or an empty directory.</summary>
    Remove,
    SetTime,

    /// <summary>fsync or fdatasync of a file or a directory.</summary>
    Sync,

    /// <summary>syncfs.</summary>
    SyncAll,
}

/// <summary>A system call of a recorded run that changed or synced something.</summary>
/// <param name="Path">The file's absolute path, or the kernel's name for a file without a name.</param>
/// <param name="Offset">Where a write begins, -1 for the file's end; the new length of a truncated file.</param>
/// <param name="Begin">When the call began. A sync covers only operations that had ended by then.</param>
/// <param name="End">When the call returned. The operations of a record are sorted by this time.</param>
internal sealed record FileOperation(
    FileOperationKind Kind, string Path, long Begin, long End, string NewPath = "", long Offset = 0, byte[]? Data = null, DateTimeOffset Time = default)
{
    public override string ToString() => $"{Kind} {System.IO.Path.GetFileName(Path)}{(NewPath.Length > 0 ? $" -> {System.IO.Path.GetFileName(NewPath)}" : "")}";
}
