using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Tests.Contracts;

/// <summary>One empty place for a store, opened as often as a test likes.</summary>
public interface IStoreFixture : IAsyncDisposable
{
    Task<IMessageStore> OpenAsync(bool forWriting, StoreContext context, CancellationToken cancellationToken);
}
