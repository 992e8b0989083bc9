using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Local;

namespace Imapsync.Engine.Stores.Mbox;

/// <summary>
/// The lock for changing an mbox: a dotlock and a POSIX record lock together, as mail delivery programs use them. A program that holds one
/// lock does not wait for the other. Otherwise two programs that lock in different orders could block each other.
/// </summary>
internal sealed class MboxLock : IAsyncDisposable
{
    private const int Attempts = 40;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The age at which a lock that does not name its holder counts as stale. It is long, because delivering a big message may take long.
    /// </summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(10);

    private readonly string path;
    private readonly DotLock dotLock;

    private MboxLock(string path, DotLock dotLock, FileStream mbox)
    {
        this.path = path;
        this.dotLock = dotLock;
        Mbox = mbox;
    }

    /// <summary>The mbox, open for reading and writing.</summary>
    public FileStream Mbox { get; private set; }

    /// <exception cref="MailException">Folder scope, transient: other programs held the lock during the whole wait.</exception>
    public static async Task<MboxLock> AcquireAsync(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        var pause = FirstPause;
        for (var attempt = 1; ; attempt++)
        {
            if (await TryAcquireAsync(path, time) is { } held)
                return held;
            if (attempt == Attempts)
                throw new MailException(FailureScope.Folder, isTransient: true, $"{path} is locked by another program ({DotLock.Holder(path)})");
            await Task.Delay(pause, time, cancellationToken);
            pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, LongestPause.Ticks));
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Closing the file releases the record lock.
        await Mbox.DisposeAsync();
        await dotLock.DisposeAsync();
    }

    /// <summary>Replaces the mbox durably by a new file and locks the new file.</summary>
    /// <param name="temporary">The path of the new file, beside the mbox.</param>
    public async Task ReplaceAsync(string temporary)
    {
        File.Move(temporary, path, overwrite: true);
        Posix.SyncDirectory(Path.GetDirectoryName(path)!);
        var old = Mbox;
        Mbox = new FileStream(path, LocalFiles.OpenExisting);
        _ = TryRecordLock(Mbox);
        await old.DisposeAsync();
    }

    private static async Task<MboxLock?> TryAcquireAsync(string path, TimeProvider time)
    {
        if (DotLock.TryTake(path, StaleAfter, time) is not { } dotLock)
            return null;
        FileStream? mbox = null;
        var isLocked = false;
        try
        {
            DurableFiles.RequireNoLink(path);
            mbox = new FileStream(path, LocalFiles.OpenExisting);
            isLocked = TryRecordLock(mbox);
            return isLocked ? new MboxLock(path, dotLock, mbox) : null;
        }
        finally
        {
            if (!isLocked)
            {
                if (mbox is not null)
                    await mbox.DisposeAsync();
                await dotLock.DisposeAsync();
            }
        }
    }

    private static bool TryRecordLock(FileStream mbox)
    {
        if (OperatingSystem.IsMacOS())
            return true;
        try
        {
            mbox.Lock(0, 0);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
