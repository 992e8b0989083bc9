using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;

namespace Imapsync.Engine.Tests.Contracts;

public sealed class MboxStoreContract : MessageStoreContract
{
    protected override IStoreFixture CreateFixture() => new MboxFixture();

    private sealed class MboxFixture : IStoreFixture
    {
        private readonly TemporaryDirectory directory = new();

        public Task<ITargetStore> OpenAsync(bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
            StoreRegistry.OpenTargetAsync(new MboxEndpoint(directory.Path), forWriting, context, cancellationToken);

        public ValueTask DisposeAsync()
        {
            directory.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
