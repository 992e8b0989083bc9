using Imapsync.Engine.State;
using Imapsync.Engine.Tests.Contracts;

namespace Imapsync.Engine.Tests.State;

/// <summary>Runs the contract's tests on checkpoints in files.</summary>
public sealed class CheckpointStoreContractTests : CheckpointContract
{
    private readonly StateFolder folder = new();

    public override ValueTask DisposeAsync()
    {
        folder.Dispose();
        return base.DisposeAsync();
    }

    protected override async Task<ICheckpointStore> OpenStoreAsync(bool readOnly = false) => await folder.OpenAsync(readOnly);
}
