namespace Imapsync.Engine.Tests.Contracts;

/// <summary>A directory for one test, deleted at the end of the test.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("imapsync-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
