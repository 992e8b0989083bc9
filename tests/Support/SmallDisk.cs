namespace Imapsync.Tests.Support;

/// <summary>
/// A file system of a few kilobytes, in memory, that a test fills up. Its room is counted in pages of 4 KiB for contents and, apart
/// from them, in inodes for files and directories: either may run out alone.
/// </summary>
public sealed class SmallDisk : IDisposable
{
    public const int PageBytes = 4096;

    private const int Plenty = 1 << 20;

    private readonly TempDir dir = new();

    private SmallDisk() => Path = dir.Create("disk");

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public int UsedPages
    {
        get
        {
            var drive = new DriveInfo(Path);
            return (int)((drive.TotalSize - drive.TotalFreeSpace) / PageBytes);
        }
    }

    /// <summary>Files and directories there, the root too.</summary>
    public int UsedInodes => 1 + Directory.EnumerateFileSystemEntries(Path, "*", SearchOption.AllDirectories).Count();

    /// <summary>Why this machine can't mount anything; null where it can.</summary>
    public static async Task<string?> WhyNotAsync()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
            return "a small disk is mounted by root on Linux only";
        using var dir = new TempDir();
        if (!await Command.SucceedsAsync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", dir.Path]))
            return "this machine lets nobody mount a tmpfs";
        await Command.RunAsync("umount", [dir.Path]);
        return null;
    }

    public static async Task<SmallDisk> MountAsync()
    {
        var disk = new SmallDisk();
        await Command.RunAsync("mount", ["-t", "tmpfs", "-o", Room(Plenty, Plenty), "tmpfs", disk.Path]);
        return disk;
    }

    /// <summary>Leaves room for so much more, and no more.</summary>
    /// <param name="pages">Of <see cref="PageBytes"/>; null for plenty.</param>
    /// <param name="inodes">Files and directories; null for plenty.</param>
    public Task LeaveAsync(int? pages = null, int? inodes = null)
    {
        // tmpfs takes size=0 for no limit at all: one page has to be in use for none to be left.
        if (pages is not null && UsedPages == 0)
            File.WriteAllText(this[".ballast"], "x");
        return Command.RunAsync("mount", ["-o", "remount," + Room(UsedPages + pages ?? Plenty, UsedInodes + inodes ?? Plenty), Path]);
    }

    public async Task MakeReadOnlyAsync(bool readOnly) => await Command.RunAsync("mount", ["-o", readOnly ? "remount,ro" : "remount,rw", Path]);

    public void Dispose()
    {
        // Lazily: what a test left open must not keep the mount in the machine.
        Command.SucceedsAsync("umount", ["-l", Path]).GetAwaiter().GetResult();
        dir.Dispose();
    }

    private static string Room(int pages, int inodes) => $"mode=0755,size={(long)pages * PageBytes},nr_inodes={inodes}";
}
