
namespace Imapsync.Engine.Files;

/// <summary>Opens files that the user named, which may be pipes that another program writes into.</summary>
internal static class Pipes
{
    /// <summary>The same time that a password command is given.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>Whether the path is a pipe, whose content can be read only once.</summary>
    public static bool IsPipe(string path) => Nodes.KindOf(path) == NodeKind.Other;

    /// <exception cref="IOException">The file can't be read, or is a pipe that no program opens for writing.</exception>
    public static async Task<FileStream> OpenRead(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!IsPipe(path))
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        // Opening a pipe can't be interrupted; if no writer comes, the thread is left waiting.
        var opening = Task.Run(() => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1), CancellationToken.None);
        try
        {
            return await opening.WaitAsync(MaxWait, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new IOException($"it is a pipe, and for {MaxWait.TotalSeconds:0} seconds nobody has written into it", e);
        }
    }
}
