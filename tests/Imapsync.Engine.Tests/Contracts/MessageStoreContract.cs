using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Contracts;

/// <summary>
/// The tests that every local store must pass. The test class of a store derives from this class and opens the store. Each file of this
/// class covers one subject.
/// </summary>
public abstract partial class MessageStoreContract : IAsyncLifetime
{
    private readonly List<ITargetStore> opened = [];

    protected static FolderPath Archive { get; } = new("Archive");

    /// <summary>The notes that the store reported, in order.</summary>
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

    /// <summary>Opens a new store at the same location; it is closed at the end of the test.</summary>
    protected async Task<ITargetStore> OpenStoreAsync(bool forWriting = true)
    {
        var store = await Fixture.OpenAsync(forWriting, new StoreContext(TimeProvider.System, Note), Token);
        opened.Add(store);
        return store;
    }

    /// <summary>Opens a folder for writing in a new store, and creates it if necessary.</summary>
    protected async Task<IWritableFolder> OpenFolderAsync(FolderPath? path = null)
    {
        var store = await OpenStoreAsync();
        await store.CreateFolderAsync(path ?? Archive, SpecialFolder.None, Token);
        return await store.OpenForWritingAsync(path ?? Archive, Token);
    }

    /// <summary>Returns all messages of a folder as read by a new store that was opened for reading.</summary>
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
