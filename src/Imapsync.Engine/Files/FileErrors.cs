namespace Imapsync.Engine.Files;

/// <summary>What went wrong with a file of this machine, told so that somebody can put it right.</summary>
public static class FileErrors
{
    /// <summary>The errors' own numbers, which .NET gives as HResult on Unix; the same on Linux, macOS and the BSDs but for the last.</summary>
    private const int PermissionDenied = 13, TooManyInSystem = 23, TooManyOpen = 24, NoSpace = 28, ReadOnlyFileSystem = 30, QuotaOnBsd = 69, Quota = 122;

    /// <summary>The exceptions that files throw.</summary>
    public static bool Is(Exception exception) => exception is IOException or UnauthorizedAccessException;

    /// <summary>The disk is full, or this user's share of it.</summary>
    public static bool IsNoSpace(Exception exception) => exception is IOException { HResult: NoSpace or Quota or QuotaOnBsd };

    /// <summary>It is not about this one file: the next one would fail as this one did.</summary>
    public static bool IsEverywhere(Exception exception) =>
        IsNoSpace(exception) || exception is IOException { HResult: TooManyInSystem or TooManyOpen or ReadOnlyFileSystem };

    /// <summary>What the system says, which names the file, and what to do about it where that is known.</summary>
    public static string Explain(Exception exception) => exception switch
    {
        IOException when IsNoSpace(exception) => $"{exception.Message}; make room there and run again: it goes on where it stopped",
        IOException { HResult: ReadOnlyFileSystem } => $"{exception.Message}; mount it for writing, or choose another place",
        IOException { HResult: TooManyOpen or TooManyInSystem } => $"{exception.Message}; allow more open files (ulimit -n), or run fewer jobs at once",
        UnauthorizedAccessException or IOException { HResult: PermissionDenied } => $"{exception.Message}; let this user read and write there (chown, chmod), or run as one who may",
        _ => exception.Message,
    };

    /// <summary>Why this user can't make files in a directory, and what to do about it; null where nothing speaks against it.</summary>
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
