using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// Opens an mbox while nobody writes to it, once other programs have released their locks. A read lock is held while the messages are
/// found. No dotlock is created, because the medium may be read-only. If the file's length or time changes nevertheless, the messages are
/// searched again.
/// </summary>
internal static class QuietMbox
{
    private const int Tries = 5;
    private const int Looks = 40;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <param name="indexPath">The path of the mbox's index.</param>
    /// <exception cref="MailException">
    /// Folder scope, transient: other programs locked the file or wrote to it during the whole wait.
    /// </exception>
    public static async Task<(SafeFileHandle Mbox, MboxFindings Found)> OpenAsync(
        string path, string indexPath, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            using var held = await LockAsync(path, time, cancellationToken);
            var mbox = MboxFolder.Open(path);
            try
            {
                var found = await MboxFindings.ReadWithAsync(indexPath, mbox, cancellationToken);
                if (found.State.Stamp == MboxStamp.Of(mbox))
                    return (mbox, found);
            }
            catch
            {
                mbox.Dispose();
                throw;
            }

            mbox.Dispose();
            if (attempt == Tries)
                throw new MailException(FailureScope.Folder, isTransient: true, $"{path} is written by another program all the time");
        }
    }

    private static async Task<FileStream> LockAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        for (var look = 1; ; look++)
        {
            if (!DotLock.IsHeld(path, MboxLock.StaleAfter, time) && TryReadLock(path) is { } held)
                return held;
            if (look == Looks)
                throw new MailException(FailureScope.Folder, isTransient: true, $"{path} is locked by another program ({DotLock.Holder(path)})");
            await Task.Delay(pause, time, cancellationToken);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    private static FileStream? TryReadLock(string path)
    {
        Nodes.RequireNoDevice(path);
        var file = new FileStream(path, LocalFiles.Read);
        try
        {
            if (!OperatingSystem.IsMacOS())
                file.Lock(0, 0);
            return file;
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // Only a lock that another program holds is worth waiting for. Any other error means that the file system has no locks.
            if (!Posix.IsHeldByAnother(e))
                return file;
            file.Dispose();
            return null;
        }
    }
}
