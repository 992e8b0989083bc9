using System.Globalization;
using System.Text;
using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Stores.Local;

/// <summary>
/// A lock that other mail programs honour too: <c>FILE.lock</c>, made where there is none, holding <c>pid:host</c> as Dovecot writes it.
/// One whose process on this machine is dead was left behind and is broken; where that can't be known, its age decides.
/// </summary>
internal sealed class DotLock : IAsyncDisposable
{
    /// <summary>Dovecot's own measure for its lists, which nobody holds for longer than moments.</summary>
    public static readonly TimeSpan StaleList = TimeSpan.FromMinutes(2);

    private const int MaxLockBytes = 1024;

    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(60);

    private static readonly byte[] Owner = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}:{Environment.MachineName}"));

    private readonly string lockFile;

    private DotLock(string lockFile) => this.lockFile = lockFile;

    /// <summary>Waits for the lock.</summary>
    /// <param name="file">The file to lock; need not exist.</param>
    /// <exception cref="MailException">Folder scope, transient: somebody else holds it all the time.</exception>
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

    /// <summary>Takes the lock if it is free or was left behind.</summary>
    /// <param name="staleAfter">How long a lock may stand whose holder is no process of this machine.</param>
    public static DotLock? TryTake(string file, TimeSpan staleAfter, TimeProvider time)
    {
        var path = file + ".lock";
        if (TryCreate(path))
            return new DotLock(path);
        if (!IsLeftBehind(path, staleAfter, time))
            return null;

        // Two that see the same one left behind must not take it from each other: one breaks it at a time, and looks again before.
        using var breaking = Posix.TryLockDirectory(Path.GetDirectoryName(path)!);
        if (breaking is null || !IsLeftBehind(path, staleAfter, time))
            return null;
        File.Delete(path);
        return TryCreate(path) ? new DotLock(path) : null;
    }

    /// <summary>Somebody holds the lock, as far as can be seen; nothing is changed.</summary>
    public static bool IsHeld(string file, TimeSpan staleAfter, TimeProvider time)
    {
        var path = file + ".lock";
        return IsLock(path) && !IsLeftBehind(path, staleAfter, time);
    }

    /// <summary>Who holds the lock, <c>pid:host</c> as a rule; empty where it does not say.</summary>
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

    /// <summary>Where a file can't come into being with its text: a process that is killed in between leaves a lock that does not say whose it is.</summary>
    private static bool TryCreateInSteps(string path, byte[] owner)
    {
        FileStream file;
        try
        {
            file = new FileStream(path, LocalFiles.CreateNew);
        }
        catch (IOException e) when (e.HResult == Posix.EEXIST || File.Exists(path))
        {
            // By the error and not by a second look: whoever held it may have let go in between.
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
            // On a full disk: a lock that does not say whose it is would keep everybody out, us too.
            LocalFiles.TryDelete([path]);
            throw;
        }
    }

    /// <summary>A small file as locks are. What is larger may be somebody's mail, and to read a pipe would wait for ever.</summary>
    private static bool IsLock(string path) => Nodes.KindOf(path) is not NodeKind.Other && new FileInfo(path) is { Exists: true, Length: <= MaxLockBytes };

    private static bool IsLeftBehind(string path, TimeSpan staleAfter, TimeProvider time)
    {
        try
        {
            // One look tells all: of a file that is gone .NET gives a date of long ago, and a new one may stand there by the next look.
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
            // Gone in between, or not to be read: the next try tells.
            return false;
        }
    }
}
