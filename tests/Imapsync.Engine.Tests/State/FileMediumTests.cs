using Imapsync.Engine.State;
using Imapsync.Engine.Tests.Contracts;

namespace Imapsync.Engine.Tests.State;

/// <summary>State that is stored in files passes the tests that every kind of state storage must pass.</summary>
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
