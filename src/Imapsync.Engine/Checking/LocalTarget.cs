using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Checking;

/// <summary>Checks a Maildir or mbox target before it is opened. It changes nothing.</summary>
public static class LocalTarget
{
    /// <summary>
    /// Returns a fact to report when the endpoint's directory does not exist yet or is empty, as on a newly mounted volume; otherwise null.
    /// </summary>
    public static StoreFact? DirectoryToFill(Endpoint endpoint)
    {
        if (DirectoryOf(endpoint) is not { } directory)
            return null;
        if (!Path.Exists(directory))
            return new StoreFact("directory", "not there yet, the first run creates it");
        try
        {
            // A new ext4 file system contains a directory lost+found, which counts as empty.
            return Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).All(e => Path.GetFileName(e) == "lost+found")
                ? new StoreFact("directory", "empty, the first run fills it")
                : null;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // The failure is ignored here, since opening the target reports it.
            return null;
        }
    }

    /// <summary>Returns why the target can't be written; null when it can.</summary>
    public static string? WhyNotWritable(Endpoint endpoint)
    {
        for (var path = DirectoryOf(endpoint); path is not null; path = Path.GetDirectoryName(path))
        {
            if (Directory.Exists(path))
                return FileErrors.WhyNotWritable(path);
            if (new FileInfo(path).LinkTarget is { } link)
                return $"{path} is a symbolic link to {link}, which is not there; create that directory, or remove the link";
            if (Path.Exists(path))
                return $"{path} is a file, so there can be no directory of that name";
        }

        return null;
    }

    private static string? DirectoryOf(Endpoint endpoint) => endpoint.Place is { } place ? Path.GetFullPath(place) : null;
}
