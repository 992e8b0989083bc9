using Imapsync.Engine.Files;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.SigningIn;

/// <summary>
/// Allows one token renewal at a time among all processes of this machine. A server that rotates refresh tokens takes two uses of one
/// refresh token for theft and ends the sign-in.
/// </summary>
internal static class SignInLock
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <exception cref="MailException">Another process held the lock for two minutes.</exception>
    public static async Task<IDisposable> TakeAsync(SignInPlace place, TimeProvider time, CancellationToken cancellationToken)
    {
        await DurableFiles.CreateDirectoryAsync(place.Directory, cancellationToken);
        DurableFiles.RequireNoLink(place.LockFile);
        var begin = time.GetTimestamp();
        while (true)
        {
            if (TryOpen(place.LockFile) is { } held)
                return held;
            if (time.GetElapsedTime(begin) > Patience)
                throw new MailException(FailureScope.Store, isTransient: true, $"another imapsync holds {place.LockFile}") { Kind = FailureKind.Connect };
            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    private static FileStream? TryOpen(string path)
    {
        if (!OperatingSystem.IsWindows())
            return Posix.TryOpenLocked(path);
        try
        {
            return new FileStream(path, DurableFiles.ForOwner(FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (e is not DirectoryNotFoundException)
        {
            return null;
        }
    }
}
