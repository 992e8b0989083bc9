using Imapsync.Engine.Stores.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Tests.Stores.Imap;

/// <summary>Folder lists that no honest server sends, and the cost of reading them.</summary>
public sealed class FolderNamesBoundsTests
{
    [Fact]
    public void Thousands_of_names_that_read_the_same_cost_as_much_as_any_others()
    {
        const int count = 5_000;
        var names = new FolderNames([], '/', _ => { });
        var wire = Enumerable.Range(1, count).Select(i => Listed(new string('/', i) + "a")).ToList();
        var before = GC.GetAllocatedBytesForCurrentThread();
        var paths = wire.Select(names.Learn).ToHashSet();
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(count, paths.Count);
        Assert.True(allocated < 200 << 20, $"{allocated} octets for {count} names");
    }

    [Fact]
    public void A_name_longer_than_any_servers_is_left_out_and_told()
    {
        var notes = new List<string>();
        var names = new FolderNames([], '/', notes.Add);
        Assert.Null(names.Learn(Listed(string.Concat(Enumerable.Repeat("a/", 500_000)))));
        Assert.Contains("left out", Assert.Single(notes), StringComparison.Ordinal);
    }

    private static ListedFolder Listed(string wire) => new(wire, '/', new HashSet<string>(), null);
}
