using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// A lock that other mail programs respect, too: the file <c>FILE.lock</c>, which must not exist before, with the content <c>pid:host</c> as Dovecot
/// writes it. A lock whose process on this machine is dead is stale and is removed. Where the process can't be checked, the lock's age decides.
/// </summary>
internal sealed class DotLock : IAsyncDisposable
{
    /// <summary>
    /// The age at which the lock of a file such as <c>dovecot-uidlist</c> counts as stale, as in Dovecot. Such a lock is normally held only
    /// for moments.
    /// </summary>
    public static readonly TimeSpan StaleList = TimeSpan.FromMinutes(2);

    private const int MaxLockBytes = 1024;

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    private static readonly byte[] Owner = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}:{Environment.MachineName}"));

    private readonly string lockFile;

    private DotLock(string lockFile) => this.lockFile = lockFile;

    /// <summary>Waits for the lock.</summary>
    /// <param name="file">The file to lock; it need not exist.</param>
    /// <exception cref="MailException">Folder scope, transient: another program held the lock during the whole wait.</exception>
    public static async Task<DotLock> AcquireAsync(string file, TimeProvider time, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        for (var delay = TimeSpan.FromMilliseconds(2); ; delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, TimeSpan.TicksPerSecond)))
        {
            if (TryTake(file, StaleList, time) is { } taken)
                return taken;
            if (time.GetElapsedTime(began) > MaxWait)
                throw new MailException(FailureScope.Folder, isTransient: true, $"{file}.lock is held by another program ({Holder(file)})");
            await Task.Delay(delay, time, cancellationToken);
        }
    }

    /// <summary>Acquires the lock if it is free or stale; otherwise returns null.</summary>
    /// <param name="staleAfter">The age at which a lock counts as stale if its process can't be checked, such as one on another machine.</param>
    public static DotLock? TryTake(string file, TimeSpan staleAfter, TimeProvider time)
    {
        var path = file + ".lock";
        if (TryCreate(path))
            return new DotLock(path);
        if (!IsLeftBehind(path, staleAfter, time))
            return null;

        // Two processes may see the same stale lock, and the slower one must not remove the new lock of the faster one. So only one process at a time
        // may remove a lock, and it checks again before it does.
        using var breaking = Posix.TryLockDirectory(Path.GetDirectoryName(path)!);
        if (breaking is null || !IsLeftBehind(path, staleAfter, time))
            return null;
        File.Delete(path);
        return TryCreate(path) ? new DotLock(path) : null;
    }

    /// <summary>Returns whether another process seems to hold the lock. The lock is not changed.</summary>
    public static bool IsHeld(string file, TimeSpan staleAfter, TimeProvider time)
    {
        var path = file + ".lock";
        return IsLock(path) && !IsLeftBehind(path, staleAfter, time);
    }

    /// <summary>Returns the lock's holder, usually as <c>pid:host</c>; empty where the file does not name one.</summary>
    public static string Holder(string file)
    {
        try
        {
            return IsLock(file + ".lock") ? File.ReadAllText(file + ".lock").Trim() : "";
        }
        catch (IOException)
        {
            return "";
        }
    }

    public ValueTask DisposeAsync()
    {
        File.Delete(lockFile);
        return ValueTask.CompletedTask;
    }

    private static bool TryCreate(string path) => Posix.TryCreateWhole(path, Owner) ?? TryCreateInSteps(path, Owner);

    /// <summary>
    /// Creates the lock file and then writes its text, on a file system where both can't be done in one step. A process that is killed in between
    /// leaves a lock that names no holder.
    /// </summary>
    private static bool TryCreateInSteps(string path, byte[] owner)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, LocalFiles.CreateNew);
        }
        catch (IOException e) when (e.HResult == Posix.EEXIST || File.Exists(path))
        {
            // Somebody else holds the lock. EEXIST suffices to know that: the file need not exist any more, since the holder may have
            // removed it in the meantime.
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }

        try
        {
            using (file)
                file.Write(owner);
            return true;
        }
        catch
        {
            // The disk is full. A lock that names no holder would block all programs, including this one, so it is removed.
            LocalFiles.TryDelete([path]);
            throw;
        }
    }

    /// <summary>
    /// Returns whether the file is an ordinary one and small enough to be a lock. A larger file may be somebody's mail, and reading a pipe would block for ever.
    /// </summary>
    private static bool IsLock(string path) => Nodes.KindOf(path) is not NodeKind.Other && new FileInfo(path) is { Exists: true, Length: <= MaxLockBytes };

    private static bool IsLeftBehind(string path, TimeSpan staleAfter, TimeProvider time)
    {
        try
        {
            // All properties come from one FileInfo, which queries the file once. With two queries the file may vanish in between, and .NET then returns a
            // date of long ago, so that a lock would look stale.
            var file = new FileInfo(path);
            if (!file.Exists || !IsLock(path))
                return false;
            var isOld = time.GetUtcNow() - new DateTimeOffset(file.LastWriteTimeUtc) > staleAfter;
            var holder = File.ReadAllText(path).Trim().Split(':', 2);
            return holder.Length == 2 && holder[1] == Environment.MachineName
                && int.TryParse(holder[0], NumberStyles.None, CultureInfo.InvariantCulture, out var process)
                ? !Posix.ProcessMayLive(process)
                : isOld;
        }
        catch (IOException)
        {
            // The file has vanished or can't be read, so it does not count as stale now. The next attempt to get the lock examines it again.
            return false;
        }
    }
}
