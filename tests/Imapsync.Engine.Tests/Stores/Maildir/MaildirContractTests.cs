using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;

namespace Imapsync.Engine.Tests.Stores.Maildir;

public sealed class MaildirContractTests : MessageStoreContract
{
    protected override IStoreFixture CreateFixture() => new MaildirFixture(MaildirLayout.MaildirPlusPlus);
}

public sealed class MaildirFsLayoutContractTests : MessageStoreContract
{
    protected override IStoreFixture CreateFixture() => new MaildirFixture(MaildirLayout.Fs);
}

internal sealed class MaildirFixture(MaildirLayout layout) : IStoreFixture
{
    private readonly TemporaryDirectory directory = new();

    public string Root => Path.Combine(directory.Path, "mail");

    public Task<ITargetStore> OpenAsync(bool forWriting, StoreContext context, CancellationToken cancellationToken) =>
        StoreRegistry.OpenTargetAsync(new MaildirEndpoint(Root, layout), forWriting, context, cancellationToken);

    public ValueTask DisposeAsync()
    {
        directory.Dispose();
        return ValueTask.CompletedTask;
    }
}
