using Imapsync.Engine.Mail;

namespace Imapsync.Tests.Support;

/// <summary>Creates store openers for tests.</summary>
public static class Openers
{
    /// <summary>Returns an opener that uses <paramref name="open"/> for targets, and for sources opened only for reading.</summary>
    public static StoreOpener Both(TargetOpener open) => new(
        async (endpoint, context, cancellationToken) => await open(endpoint, forWriting: false, context, cancellationToken), open);

    public static StoreOpener Both(Func<Endpoint, ITargetStore> open) => Both((endpoint, _, _, _) => Task.FromResult(open(endpoint)));
}
