namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>Files for readers that want files, in memory where the machine has that; gone when the process is.</summary>
internal static class Scratch
{
    private static readonly Lazy<string> Root = new(() =>
    {
        var root = Directory.CreateTempSubdirectory("imapsync-fuzz-").FullName;
        if (Directory.Exists("/dev/shm"))
        {
            Directory.Delete(root);
            root = Directory.CreateDirectory(Path.Combine("/dev/shm", Path.GetFileName(root))).FullName;
        }

        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(root, recursive: true);
        return root;
    });

    /// <summary>A file of that name in a directory that holds nothing else of the same target.</summary>
    public static string Write(string target, string name, ReadOnlySpan<byte> octets)
    {
        var path = Path.Combine(Root.Value, target, name);
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, octets);
        return path;
    }
}
