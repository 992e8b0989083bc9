using Imapsync.Engine.Mail;

namespace Imapsync.Tests.Support;

/// <summary>Openers of stores made for a test.</summary>
public static class Openers
{
    /// <summary>Opens whatever is read in the same way as a target that is not written.</summary>
    public static StoreOpener Both(TargetOpener open) => new(
        async (endpoint, context, cancellationToken) => await open(endpoint, forWriting: false, context, cancellationToken), open);

    public static StoreOpener Both(Func<Endpoint, ITargetStore> open) => Both((endpoint, _, _, _) => Task.FromResult(open(endpoint)));
}
