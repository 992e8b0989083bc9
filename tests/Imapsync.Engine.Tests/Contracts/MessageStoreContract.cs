using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Contracts;

/// <summary>
/// What every local store promises. A store joins in by deriving from this and naming its fixture;
/// the suite is split over several files by what is promised.
/// </summary>
public abstract partial class MessageStoreContract : IAsyncLifetime
{
    private readonly List<IMessageStore> opened = [];

    protected static FolderPath Archive { get; } = new("Archive");

    /// <summary>What the store told about, in order.</summary>
    protected List<string> Notes { get; } = [];

    protected IStoreFixture Fixture { get; private set; } = null!;

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    protected abstract IStoreFixture CreateFixture();

    public ValueTask InitializeAsync()
    {
        Fixture = CreateFixture();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var store in opened)
            await store.DisposeAsync();
        await Fixture.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A new store over the same place, closed with the test.</summary>
    protected async Task<IMessageStore> OpenStoreAsync(bool forWriting = true)
    {
        var store = await Fixture.OpenAsync(forWriting, new StoreContext(TimeProvider.System, Note), Token);
        opened.Add(store);
        return store;
    }

    /// <summary>A folder for writing in a new store, created if need be.</summary>
    protected async Task<IWritableFolder> OpenFolderAsync(FolderPath? path = null)
    {
        var store = await OpenStoreAsync();
        await store.CreateFolderAsync(path ?? Archive, SpecialFolder.None, Token);
        return await store.OpenForWritingAsync(path ?? Archive, Token);
    }

    /// <summary>All messages of a folder as a new store that opens it for reading sees them.</summary>
    protected async Task<SortedDictionary<Uid, Letter>> ReadBackAsync(FolderPath? path = null)
    {
        var store = await OpenStoreAsync(forWriting: false);
        await using var folder = await store.OpenAsync(path ?? Archive, Token);
        return await folder.ReadAllAsync();
    }

    private void Note(string text)
    {
        lock (Notes)
            Notes.Add(text);
    }
}
