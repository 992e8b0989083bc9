
namespace Imapsync.Engine.Files;

/// <summary>Opens what a person named, which may well be a pipe that another program writes into.</summary>
internal static class Pipes
{
    /// <summary>As long as a password command may take.</summary>
    private static readonly TimeSpan MaxWait = TimeSpan.FromSeconds(30);

    /// <summary>What is written into a pipe can be read once.</summary>
    public static bool IsPipe(string path) => Nodes.KindOf(path) == NodeKind.Other;

    /// <exception cref="IOException">It can't be read, or is a pipe that nobody opens to write into it.</exception>
    public static async Task<FileStream> OpenRead(string path, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!IsPipe(path))
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        // Nothing interrupts the opening of a pipe; where nobody comes, it is left waiting.
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
