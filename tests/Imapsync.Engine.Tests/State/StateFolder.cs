using Imapsync.Engine.State;

namespace Imapsync.Engine.Tests.State;

/// <summary>A state directory that is deleted after the test.</summary>
public sealed class StateFolder : IDisposable
{
    public string Root { get; } = Path.Combine(Directory.CreateTempSubdirectory("checkpoints-").FullName, "state");

    public string Pairs => Path.Combine(Root, "pairs");

    public string Summary => Path.Combine(Root, "summary");

    /// <summary>The path of the only journal; fails if there is none or more than one.</summary>
    public string Journal => Assert.Single(Directory.GetFiles(Pairs, "*.journal"));

    public Task<CheckpointStore> OpenAsync(bool readOnly = false) =>
        CheckpointStore.OpenAsync(Root, TimeProvider.System, readOnly, TestContext.Current.CancellationToken);

    public void Dispose() => Directory.Delete(Path.GetDirectoryName(Root)!, recursive: true);
}
