using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// A lock that other mail programs honour too: the file <c>FILE.lock</c>, created where there is none, with the content <c>pid:host</c> as
/// Dovecot writes it. A lock whose process on this machine is dead is stale and is broken; where that can't be determined, the lock's age
/// decides.
/// </summary>
internal sealed class DotLock : IAsyncDisposable
{
    /// <summary>Dovecot's own limit for its list files, which nobody holds for longer than moments.</summary>
    public static readonly TimeSpan StaleList = TimeSpan.FromMinutes(2);

    private const int MaxLockBytes = 1024;

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    private static readonly byte[] Owner = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}:{Environment.MachineName}"));

    private readonly string lockFile;

    private DotLock(string lockFile) => this.lockFile = lockFile;

    /// <summary>Waits for the lock.</summary>
    /// <param name="file">The file to lock; need not exist.</param>
    /// <exception cref="MailException">Folder scope, transient: another program holds the lock all the time.</exception>
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

    /// <summary>Acquires the lock if it is free or stale.</summary>
    /// <param name="staleAfter">The age at which a lock counts as stale whose holder is no process of this machine.</param>
    public static DotLock? TryTake(string file, TimeSpan staleAfter, TimeProvider time)
    {
        var path = file + ".lock";
        if (TryCreate(path))
            return new DotLock(path);
        if (!IsLeftBehind(path, staleAfter, time))
            return null;

        // Two processes that see the same stale lock must not break each other's new one, so only one at a time breaks it, and checks again before.
        using var breaking = Posix.TryLockDirectory(Path.GetDirectoryName(path)!);
        if (breaking is null || !IsLeftBehind(path, staleAfter, time))
            return null;
        File.Delete(path);
        return TryCreate(path) ? new DotLock(path) : null;
    }

    /// <summary>Whether somebody seems to hold the lock; nothing is changed.</summary>
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
    /// Creates the lock where a file can't be created together with its text: a process that is killed between the two steps leaves a lock
    /// that names no holder.
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
            // The error decides, not a second check: the holder may have released the lock in between.
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
            // The disk is full: a lock that names no holder would block everybody, this process too, so it is removed.
            LocalFiles.TryDelete([path]);
            throw;
        }
    }

    /// <summary>
    /// Whether the file is small enough to be a lock. A larger file may be somebody's mail, and reading a pipe would block for ever.
    /// </summary>
    private static bool IsLock(string path) => Nodes.KindOf(path) is not NodeKind.Other && new FileInfo(path) is { Exists: true, Length: <= MaxLockBytes };

    private static bool IsLeftBehind(string path, TimeSpan staleAfter, TimeProvider time)
    {
        try
        {
            // All properties come from one FileInfo: for a vanished file .NET returns a date of long ago, and a new file may appear
            // before a second query.
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
            // The file vanished in between or can't be read, so the next attempt decides.
            return false;
        }
    }
}
