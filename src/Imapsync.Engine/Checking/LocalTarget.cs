using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Checking;

/// <summary>What can be said of a Maildir or mbox target before it is opened. Changes nothing.</summary>
public static class LocalTarget
{
    /// <summary>A fact where an endpoint is a directory that nobody made yet, or that holds nothing, as a new volume does.</summary>
    public static StoreFact? DirectoryToFill(Endpoint endpoint)
    {
        if (DirectoryOf(endpoint) is not { } directory)
            return null;
        if (!Path.Exists(directory))
            return new StoreFact("directory", "not there yet, the first run creates it");
        try
        {
            // ext4 puts lost+found into a new file system.
            return Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).All(e => Path.GetFileName(e) == "lost+found")
                ? new StoreFact("directory", "empty, the first run fills it")
                : null;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // Opening it says what is wrong.
            return null;
        }
    }

    /// <summary>Why nothing can be written there; null where it can.</summary>
    public static string? WhyNotWritable(Endpoint endpoint)
    {
        for (var path = DirectoryOf(endpoint); path is not null; path = Path.GetDirectoryName(path))
        {
            if (Directory.Exists(path))
                return FileErrors.WhyNotWritable(path);
            if (Path.Exists(path))
                return $"{path} is a file, so there can be no directory of that name";
        }

        return null;
    }

    private static string? DirectoryOf(Endpoint endpoint) => endpoint.Place is { } place ? Path.GetFullPath(place) : null;
}
