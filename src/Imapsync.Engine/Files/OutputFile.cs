using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Files;

/// <summary>
/// Writes output to a path that the user named. An ordinary file is replaced by a complete new one, readable by its owner only; of a
/// symbolic link, the destination is replaced. Devices, pipes and <c>/dev/stdout</c> are opened and written to, because replacing
/// <c>/dev/null</c> would take the device away from all programs.
/// </summary>
public static partial class OutputFile
{
    /// <summary>
    /// Throws the exception that <see cref="WriteAsync"/> would throw for this path, as far as it can be foreseen. Changes nothing.
    /// </summary>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static void RequireWritable(string path)
    {
        if (DescriptorOf(path) is not null)
            return;
        var place = Resolve(path);
        switch (Nodes.KindOf(place))
        {
            case NodeKind.Directory:
                throw new IOException($"{path} is a directory; name a file in it");
            case NodeKind.Other:
                Posix.RequireWritableFile(place);
                break;
            default:
                var directory = Path.GetDirectoryName(place)!;
                if (!Directory.Exists(directory))
                    throw new DirectoryNotFoundException($"there is no such directory as {directory}; create it first");
                Posix.RequireWritable(directory);
                break;
        }
    }

    /// <summary>
    /// Returns whether writing to the path would replace an existing file, instead of writing to a device, a pipe or a stream.
    /// </summary>
    public static bool WouldReplace(string path) => DescriptorOf(path) is null && Nodes.KindOf(Resolve(path)) is NodeKind.OrdinaryFile;

    /// <summary>Writes the output: an ordinary file appears complete or not at all.</summary>
    /// <param name="isForAll">Whether every user may read the file.</param>
    /// <param name="time">Measures how long to wait for a program that reads from a pipe; null for the system's clock.</param>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static async Task WriteAsync(string path, Func<Stream, Task> write, bool isForAll = false, TimeProvider? time = null)
    {
        if (DescriptorOf(path) is { } descriptor)
        {
            await using var stream = new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), FileAccess.Write, 0);
            await write(stream);
            return;
        }

        var place = Resolve(path);
        switch (Nodes.KindOf(place))
        {
            case NodeKind.Directory:
                throw new IOException($"{path} is a directory; name a file in it");
            case NodeKind.Other:
                await using (var stream = await Pipes.OpenWrite(place, time ?? TimeProvider.System, CancellationToken.None))
                    await write(stream);
                break;
            default:
                await ReplaceAsync(place, write, isForAll);
                break;
        }
    }

    /// <summary>
    /// Opens a file for appending lines, and creates it for its owner only where it does not exist. Links, devices and pipes are refused.
    /// </summary>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static FileStream OpenAppend(string path)
    {
        var place = Path.GetFullPath(path);
        if (DescriptorOf(path) is not null || Nodes.KindOf(place) is NodeKind.Directory or NodeKind.Other)
            throw new IOException($"{path} is no file, but a directory, a pipe or a device");
        if (new FileInfo(place).LinkTarget is not null)
            throw new IOException($"{path} is a symbolic link, which is not followed");
        return new FileStream(place, DurableFiles.ForOwner(FileMode.Append, FileAccess.Write));
    }

    private static async Task ReplaceAsync(string place, Func<Stream, Task> write, bool isForAll)
    {
        // The temporary name is unique, so no existing file has to be removed first.
        var temporary = $"{place}.{Guid.NewGuid():N}{DurableFiles.TemporarySuffix}";
        var file = new FileStream(temporary, DurableFiles.ForOwner(FileMode.CreateNew, FileAccess.Write));
        try
        {
            await using (file)
            {
                await write(file);
                if (isForAll && !OperatingSystem.IsWindows())
                    File.SetUnixFileMode(file.SafeFileHandle, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, place, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Returns the absolute path after all symbolic links have been followed.</summary>
    private static string Resolve(string path)
    {
        var absolute = Path.GetFullPath(path);
        var named = new FileInfo(absolute);
        return named.LinkTarget is null ? absolute : named.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
    }

    /// <summary>
    /// Returns the file descriptor of this process that the path names, such as 1 for <c>/dev/stdout</c>, also through links; null for any
    /// other path.
    /// </summary>
    private static int? DescriptorOf(string path)
    {
        const int MostLinks = 8;
        if (OperatingSystem.IsWindows())
            return null;
        var place = Path.GetFullPath(path);
        for (var links = 0; links < MostLinks; links++)
        {
            var named = OwnStream().Match(place);
            if (named.Success && (!named.Groups["pid"].Success || named.Groups["pid"].Value == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)))
                return int.Parse(named.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
            if (new FileInfo(place).LinkTarget is not { } target)
                return null;
            place = Path.GetFullPath(target, Path.GetDirectoryName(place)!);
        }

        return null;
    }

    [GeneratedRegex("^/(?:dev|proc/self|proc/thread-self|proc/(?<pid>[0-9]+))/fd/(?<number>[0-9]{1,6})$", RegexOptions.CultureInvariant)]
    private static partial Regex OwnStream();
}
