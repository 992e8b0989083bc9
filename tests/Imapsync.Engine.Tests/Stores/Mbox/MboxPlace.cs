using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Mbox;

/// <summary>A directory of mbox files for one test. Most tests use its folder Box.</summary>
internal sealed class MboxPlace : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public static FolderPath Folder { get; } = new("Box");

    public List<string> Notes { get; } = [];

    /// <summary>The store's reports about mail that it does not read or may read wrongly.</summary>
    public List<string> Unread { get; } = [];

    public string Path => directory.Path;

    public string Mbox => System.IO.Path.Combine(Path, "Box");

    public string Index => Mbox + ".imapsync-index";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static byte[] Octets(string text) => Encoding.Latin1.GetBytes(text);

    public Task<ITargetStore> OpenAsync(bool forWriting = true) =>
        StoreRegistry.OpenTargetAsync(new MboxEndpoint(Path), forWriting, new StoreContext(TimeProvider.System, Notes.Add) { OnUnread = (_, _, text) => Unread.Add(text) }, Token);

    public async Task<IWritableFolder> OpenFolderAsync(TimeProvider? time = null)
    {
        var store = await StoreRegistry.OpenTargetAsync(new MboxEndpoint(Path), forWriting: true, new StoreContext(time ?? TimeProvider.System, Notes.Add), Token);
        await store.CreateFolderAsync(Folder, SpecialFolder.None, Token);
        return await store.OpenForWritingAsync(Folder, Token);
    }

    public async Task<IReadOnlyList<Uid>> AppendAsync(params IReadOnlyList<byte[]> messages)
    {
        await using var folder = await OpenFolderAsync();
        return await folder.AppendAllAsync([.. messages.Select(Letter.Of)]);
    }

    /// <summary>Opens the folder for reading and asserts that this writes nothing.</summary>
    public async Task<(FolderStatus Status, List<Letter> Letters)> ReadAsync()
    {
        var before = Directory.GetFiles(Path).Order().Select(f => (f, File.GetLastWriteTimeUtc(f))).ToList();
        var store = await OpenAsync(forWriting: false);
        await using var folder = await store.OpenAsync(Folder, Token);
        var letters = await folder.ReadAllAsync();
        Assert.Equal(before, Directory.GetFiles(Path).Order().Select(f => (f, File.GetLastWriteTimeUtc(f))));
        return (folder.Status, [.. letters.Values]);
    }

    /// <summary>Opens the folder for writing, which repairs file and index.</summary>
    public async Task<(FolderStatus Status, SortedDictionary<Uid, Letter> Letters)> SettleAsync()
    {
        await using var folder = await OpenFolderAsync();
        return (folder.Status, await folder.ReadAllAsync());
    }

    public void Dispose() => directory.Dispose();
}
