using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Tests.Contracts;

/// <summary>An initially empty location for a store, which a test may open any number of times.</summary>
public interface IStoreFixture : IAsyncDisposable
{
    Task<ITargetStore> OpenAsync(bool forWriting, StoreContext context, CancellationToken cancellationToken);
}
