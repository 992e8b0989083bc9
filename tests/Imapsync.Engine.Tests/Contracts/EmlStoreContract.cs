using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;

namespace Imapsync.Engine.Tests.Contracts;

public sealed class EmlStoreContract : MessageStoreContract
{
    protected override IStoreFixture CreateFixture() => new EmlFixture();

    private sealed class EmlFixture : IStoreFixture
    {
        private readonly TemporaryDirectory directory = new();

        public Task<ITargetStore> OpenAsync(bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
            StoreRegistry.OpenTargetAsync(new EmlEndpoint(directory.Path), forWriting, context, cancellationToken);

        public ValueTask DisposeAsync()
        {
            directory.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
