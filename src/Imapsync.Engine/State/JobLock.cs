using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>
/// The job's lock: the operating system's lock on a file (flock on Unix), which ends with the process however that ends.
/// Who holds it stands in the file, for the message.
/// </summary>
internal sealed class JobLock : IDisposable
{
    /// <summary>Its text is shorter.</summary>
    public const int OwnerBytes = 256;

    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly FileStream file;

    private JobLock(FileStream file) => this.file = file;

    /// <exception cref="CheckpointLockedException">Somebody else holds it.</exception>
    public static JobLock Take(string path, TimeProvider time)
    {
        // Opening without truncating: the holder's text must outlast a second run's try.
        DurableFiles.RequireNoLink(path);
        Nodes.RequireNoDevice(path);
        var taken = Open(path) ?? throw new CheckpointLockedException($"another run holds this job: {ReadOwner(path)}");
        var owner = $"pid {Environment.ProcessId} on {Environment.MachineName} since {time.GetUtcNow():yyyy-MM-dd'T'HH:mm:ss'Z'}\n";
        try
        {
            taken.SetLength(0);
            taken.Write(Encoding.UTF8.GetBytes(owner));
        }
        catch (IOException e) when (FileErrors.IsNoSpace(e))
        {
            // It holds all the same; it only cannot say by whom.
        }

        return new JobLock(taken);
    }

    /// <summary>The file stays: removing it would let two runs lock two files of one name.</summary>
    public void Dispose()
    {
        file.SetLength(0);
        Posix.Unlock(file.SafeFileHandle);
        file.Dispose();
    }

    /// <summary>Null where somebody else holds it.</summary>
    private static FileStream? Open(string path)
    {
        if (!OperatingSystem.IsWindows())
            return Posix.TryOpenLocked(path);
        try
        {
            return new FileStream(path, DurableFiles.ForOwner(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (e.HResult is SharingViolation)
        {
            return null;
        }
    }

    private static string ReadOwner(string path)
    {
        const string Unknown = "it does not say which";
        if (OperatingSystem.IsWindows())
            return Unknown;
        var buffer = new byte[OwnerBytes];
        using var held = Posix.OpenRead(path);
        var read = RandomAccess.Read(held, buffer, 0);
        var text = string.Concat(Encoding.UTF8.GetString(buffer, 0, read).Where(c => !char.IsControl(c))).Trim();
        return text.Length == 0 ? Unknown : text;
    }
}
