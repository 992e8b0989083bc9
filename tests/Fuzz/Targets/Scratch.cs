namespace Imapsync.Fuzz.Tests.Targets;

/// <summary>
/// Creates files for targets that read files, in /dev/shm if the machine has it. The files are deleted when the process ends.
/// </summary>
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

    /// <summary>Writes a file with this name to the target's own directory.</summary>
    public static string Write(string target, string name, ReadOnlySpan<byte> octets)
    {
        var path = Path.Combine(Root.Value, target, name);
        if (!Directory.Exists(Path.GetDirectoryName(path)))
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, octets);
        return path;
    }
}
