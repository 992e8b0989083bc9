namespace Imapsync.Tests.Support;

/// <summary>A directory that is deleted at the end of the test. It is in memory (/dev/shm) if there is enough space.</summary>
public sealed class TempDir : IDisposable
{
    public TempDir()
    {
        // Use /dev/shm only if it is large; containers often have only 64 MB there.
        const string memory = "/dev/shm";
        var root = Directory.Exists(memory) && new DriveInfo(memory).AvailableFreeSpace > 6L << 30 ? memory : System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(root, "imapsync-test-" + System.IO.Path.GetRandomFileName()[..8]);
        Directory.CreateDirectory(Path);
        if (!OperatingSystem.IsWindows())
        {
            // A server that runs as another user needs access to the directories below.
            File.SetUnixFileMode(Path, (UnixFileMode)0b111_101_101);
        }
    }

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public string Create(string name) => Directory.CreateDirectory(this[name]).FullName;

    public string Write(string name, string text)
    {
        File.WriteAllText(this[name], text);
        return this[name];
    }

    /// <summary>Writes a shell script that can be run as a program.</summary>
    public string WriteProgram(string name, string script)
    {
        Write(name, "#!/bin/sh\n" + script + "\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(this[name], (UnixFileMode)0b111_101_101);
        return this[name];
    }

    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // A killed server may still be writing its last log line, so try once more.
            if (Directory.Exists(Path))
                Directory.Delete(Path, recursive: true);
        }
    }
}
