namespace Imapsync.Servers.Tests.Crash.States;

internal enum FileOperationKind
{
    /// <summary>A file that gets its name at once, or an open one that is cut to nothing.</summary>
    Create,
    Truncate,
    MakeDirectory,

    /// <summary>A file without a name (O_TMPFILE).</summary>
    CreateNameless,
    Write,
    Rename,
    Link,

    /// <summary>Of a file or an empty directory.</summary>
    Remove,
    SetTime,

    /// <summary>fsync or fdatasync, of a file or a directory.</summary>
    Sync,

    /// <summary>syncfs.</summary>
    SyncAll,
}

/// <summary>One call of a recorded run that changed or synced something.</summary>
/// <param name="Path">Absolute; of a file without a name what the kernel calls it.</param>
/// <param name="Offset">Where a write begins, -1 for at the end; the new length for a truncation.</param>
/// <param name="Begin">When the call began: a sync promises only what was done by then.</param>
/// <param name="End">When it returned: the order of the record.</param>
internal sealed record FileOperation(
    FileOperationKind Kind, string Path, long Begin, long End, string NewPath = "", long Offset = 0, byte[]? Data = null, DateTimeOffset Time = default)
{
    public override string ToString() => $"{Kind} {System.IO.Path.GetFileName(Path)}{(NewPath.Length > 0 ? $" -> {System.IO.Path.GetFileName(NewPath)}" : "")}";
}
