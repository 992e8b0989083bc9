namespace Imapsync.Engine.Files;

/// <summary>Explains failures of local file operations, so that the user can remove their cause.</summary>
public static class FileErrors
{
    /// <summary>
    /// The system's error numbers, which .NET passes as HResult on Unix; all but the last are the same on Linux, macOS and the BSDs.
    /// </summary>
    private const int PermissionDenied = 13, TooManyInSystem = 23, TooManyOpen = 24, NoSpace = 28, ReadOnlyFileSystem = 30, QuotaOnBsd = 69, Quota = 122;

    /// <summary>Returns whether the exception is one that file operations throw.</summary>
    public static bool Is(Exception exception) => exception is IOException or UnauthorizedAccessException;

    /// <summary>Returns whether the disk is full or the user's quota on it is exhausted.</summary>
    public static bool IsNoSpace(Exception exception) => exception is IOException { HResult: NoSpace or Quota or QuotaOnBsd };

    /// <summary>Returns whether the failure is not specific to one file, so that the next file would fail in the same way.</summary>
    public static bool IsEverywhere(Exception exception) =>
        IsNoSpace(exception) || exception is IOException { HResult: TooManyInSystem or TooManyOpen or ReadOnlyFileSystem };

    /// <summary>
    /// Returns whether the failure shows that nothing can be stored there: the disk is full or read-only, or this user lacks the
    /// permission.
    /// </summary>
    public static bool IsUnwritable(Exception exception) =>
        IsNoSpace(exception) || exception is UnauthorizedAccessException or IOException { HResult: PermissionDenied or ReadOnlyFileSystem };

    /// <summary>Returns the system's message, which names the file, and a remedy where one is known.</summary>
    public static string Explain(Exception exception) => exception switch
    {
        IOException when IsNoSpace(exception) => $"{exception.Message}; make room there and run again: it goes on where it stopped",
        IOException { HResult: ReadOnlyFileSystem } => $"{exception.Message}; mount it for writing, or choose another place",
        IOException { HResult: TooManyOpen or TooManyInSystem } => $"{exception.Message}; allow more open files (ulimit -n), or run fewer jobs at once",
        UnauthorizedAccessException or IOException { HResult: PermissionDenied } => $"{exception.Message}; let this user read and write there (chown, chmod), or run as one who may",
        _ => exception.Message,
    };

    /// <summary>Returns why this user can't create files in a directory, and a remedy; null where no obstacle is known.</summary>
    public static string? WhyNotWritable(string directory)
    {
        try
        {
            Posix.RequireWritable(directory);
            return null;
        }
        catch (Exception e) when (Is(e))
        {
            return Explain(e);
        }
    }
}
