using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Win32.SafeHandles;

namespace Imapsync.Engine.Files;

/// <summary>
/// A file that somebody named to get something written into it. An ordinary file is replaced by a whole new one, readable for its owner
/// only; through a symbolic link, what the link leads to is. Devices, pipes and the process's own streams (<c>/dev/stdout</c>) are
/// written to: to replace them would take them from everybody.
/// </summary>
public static partial class OutputFile
{
    /// <summary>Throws what writing it would, as far as that can be known before there is anything to write. Changes nothing.</summary>
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

    /// <summary>There is something of that name that is not only to be written to.</summary>
    public static bool WouldReplace(string path) => DescriptorOf(path) is null && Nodes.KindOf(Resolve(path)) is NodeKind.OrdinaryFile;

    /// <summary>Writes it: an ordinary file appears whole or not at all.</summary>
    /// <param name="isForAll">Every user may read it.</param>
    /// <exception cref="IOException"/>
    /// <exception cref="UnauthorizedAccessException"/>
    public static async Task WriteAsync(string path, Func<Stream, Task> write, bool isForAll = false)
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
                await using (var stream = new FileStream(place, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.Write, Share = FileShare.ReadWrite, BufferSize = 0 }))
                    await write(stream);
                break;
            default:
                await ReplaceAsync(place, write, isForAll);
                break;
        }
    }

    /// <summary>Opens one to add lines at its end, made for its owner only where it is not there. Links, devices and pipes are refused.</summary>
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
        // A name that nobody else can have: nothing has to be removed for it.
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

    /// <summary>Absolute, and where a symbolic link leads in the end.</summary>
    private static string Resolve(string path)
    {
        var absolute = Path.GetFullPath(path);
        var named = new FileInfo(absolute);
        return named.LinkTarget is null ? absolute : named.ResolveLinkTarget(returnFinalTarget: true)!.FullName;
    }

    /// <summary>The number of an open stream of this process that the path names, by way of links too.</summary>
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
