
namespace Imapsync.Engine.Files;

/// <summary>Opens files that the user named. Such a file may be a pipe, with or without a program at its other end.</summary>
internal static class Pipes
{
    /// <summary>How long to wait for a program at the other end of a pipe: as long as for a password command.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>Returns whether the path is a pipe, whose content can be read only once.</summary>
    public static bool IsPipe(string path) => Nodes.KindOf(path) == NodeKind.Other;

    /// <exception cref="IOException">The file can't be read, or is a pipe that no program opens for writing.</exception>
    public static async Task<FileStream> OpenRead(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!IsPipe(path))
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return await OpenAsync(
            () => new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1),
            $"it is a pipe, and for {MaxWait.TotalSeconds:0} seconds nobody has written into it", time, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens a pipe, a device or a socket for writing.</summary>
    /// <exception cref="IOException">The path can't be written to, or is a pipe that no program opens for reading.</exception>
    public static Task<FileStream> OpenWrite(string path, TimeProvider time, CancellationToken cancellationToken) => OpenAsync(
        () => new FileStream(path, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, Share = FileShare.ReadWrite, BufferSize = 0 }),
        $"{path} is a pipe, and for {MaxWait.TotalSeconds:0} seconds nobody has read from it", time, cancellationToken);

    private static async Task<FileStream> OpenAsync(Func<FileStream> open, string ifNobodyCame, TimeProvider time, CancellationToken cancellationToken)
    {
        // Opening a pipe can't be interrupted: if no program opens the other end, this thread stays blocked.
        var opening = Task.Run(open, CancellationToken.None);
        try
        {
            return await opening.WaitAsync(MaxWait, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException e)
        {
            throw new IOException(ifNobodyCame, e);
        }
    }
}
