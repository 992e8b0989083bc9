using System.Text;
using Imapsync.Engine.Files;

namespace Imapsync.Engine.State;

/// <summary>
/// The job's lock: an operating system lock on a file (flock on Unix). The system releases it when the process ends, however it ends. The file names the
/// holder, for the error message of other runs.
/// </summary>
internal sealed class JobLock : IDisposable
{
    /// <summary>The size in octets of the buffer into which the holder's text is read; the text is always shorter.</summary>
    public const int OwnerBytes = 256;

    private const int SharingViolation = unchecked((int)0x80070020);

    private readonly FileStream file;

    private JobLock(FileStream file) => this.file = file;

    /// <exception cref="CheckpointLockedException">Another run holds the lock.</exception>
    public static JobLock Take(string path, TimeProvider time)
    {
        // The file is opened without truncating it, so that a failed attempt does not erase the holder's text.
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
            // The failure is ignored: the lock holds even if the disk is full, and the file just does not name its holder.
        }
        catch
        {
            taken.Dispose();
            throw;
        }

        return new JobLock(taken);
    }

    /// <summary>Releases the lock. The file is not removed: otherwise two runs could lock two different files of the same name.</summary>
    public void Dispose()
    {
        try
        {
            file.SetLength(0);
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // A failure to erase the holder's name is ignored, since only the lock itself counts.
        }
        finally
        {
            Posix.Unlock(file.SafeFileHandle);
            file.Dispose();
        }
    }

    /// <summary>Opens and locks the file; null if another process holds the lock.</summary>
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
