namespace Imapsync.Tests.Support;

/// <summary>
/// A tiny file system in memory that a test can fill up. Contents take pages of 4 KiB; files and directories take inodes. Either can run
/// out alone.
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

    /// <summary>How many files and directories it contains, including the root.</summary>
    public int UsedInodes => 1 + Directory.EnumerateFileSystemEntries(Path, "*", SearchOption.AllDirectories).Count();

    /// <summary>Why this machine can't mount a file system; null if it can.</summary>
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

    /// <summary>Limits the capacity so that exactly this much is free.</summary>
    /// <param name="pages">Free pages of <see cref="PageBytes"/>; null for practically no limit.</param>
    /// <param name="inodes">Inodes for further files and directories; null for practically no limit.</param>
    public Task LeaveAsync(int? pages = null, int? inodes = null)
    {
        // tmpfs interprets size=0 as unlimited, so one page has to be in use before no pages can be left free.
        if (pages is not null && UsedPages == 0)
            File.WriteAllText(this[".ballast"], "x");
        return Command.RunAsync("mount", ["-o", "remount," + Room(UsedPages + pages ?? Plenty, UsedInodes + inodes ?? Plenty), Path]);
    }

    public async Task MakeReadOnlyAsync(bool readOnly) => await Command.RunAsync("mount", ["-o", readOnly ? "remount,ro" : "remount,rw", Path]);

    public void Dispose()
    {
        // Unmount lazily, so that a file left open by a test does not keep the file system mounted.
        Command.SucceedsAsync("umount", ["-l", Path]).GetAwaiter().GetResult();
        dir.Dispose();
    }

    private static string Room(int pages, int inodes) => $"mode=0755,size={(long)pages * PageBytes},nr_inodes={inodes}";
}
