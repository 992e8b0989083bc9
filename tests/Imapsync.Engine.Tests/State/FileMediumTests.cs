using Imapsync.Engine.State;
using Imapsync.Engine.Tests.Contracts;

namespace Imapsync.Engine.Tests.State;

/// <summary>State in files keeps the contract.</summary>
public sealed class FileMediumTests : StateMediumContract
{
    private readonly StateFolder folder = new();

    public override ValueTask DisposeAsync()
    {
        folder.Dispose();
        return base.DisposeAsync();
    }

    protected override IStateMedium Open(string? part = null) => new FileMedium(new StateLocation(folder.Root, part), TimeProvider.System);
}
