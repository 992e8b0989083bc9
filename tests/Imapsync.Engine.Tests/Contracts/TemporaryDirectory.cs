namespace Imapsync.Engine.Tests.Contracts;

/// <summary>A directory of its own for one test, gone when the test is over.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("imapsync-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
