using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Mbox;

/// <summary>
/// The source is an mbox of another program. Its messages keep their UIDs from run to run, and no file is written beside it.
/// </summary>
public sealed class MboxMemoryTests
{
    private const string Mark = "From a@example.org Thu Jan  2 03:04:05 2020\n";
    private static readonly string[] Messages = [.. new[] { "nul\0here", "cr cr\r\r", "b\rare", "plain" }.Select((t, n) => $"{Mark}Subject: {n}\n\n{t}\n\n")];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Uids_last_through_deletions_flags_and_deliveries()
    {
        using var place = new MboxPlace();
        using var state = new TemporaryDirectory();
        await File.WriteAllTextAsync(place.Mbox, string.Concat(Messages), Token);
        var (first, before) = await ReadAsync(place, state);
        Assert.False(first.UidValidity.IsNone);
        Assert.Equal(first, (await ReadAsync(place, state)).Status);
        await File.WriteAllTextAsync(
            place.Mbox, string.Concat(Messages.Skip(1)).Replace("Subject: 2\n", "Subject: 2\nStatus: RO\n", StringComparison.Ordinal) + Mark + "Subject: new\n\n\n", Token);
        var (second, after) = await ReadAsync(place, state);
        Assert.Equal(first.UidValidity, second.UidValidity);
        Assert.Equal([.. before.Keys.Skip(1), first.UidNext], after.Keys);
        Assert.Equal(FlagSet.Create(MessageFlags.Seen), after[before.Keys.ElementAt(2)].Flags);
        Assert.Equal(before.Values.Skip(1).Select(l => l.Octets), after.Values.Take(3).Select(l => l.Octets));
        Assert.Equal([place.Mbox], Directory.GetFiles(place.Path));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_delivered_behind_NUL_octets_is_new_mail_and_the_known_messages_stay_known(bool isOne)
    {
        using var place = new MboxPlace();
        using var state = new TemporaryDirectory();
        var delivered = $"{Mark}Subject: new\n\na\n\0\0{Mark}Subject: newer\n\nb\n\n";
        var messages = string.Concat(Messages);
        await File.WriteAllTextAsync(place.Mbox, isOne ? Messages[0] : messages, Token);
        var (first, before) = await ReadAsync(place, state);
        await File.AppendAllTextAsync(place.Mbox, new string('\0', 700) + delivered, Token);
        for (var i = 0; i < 2; i++)
        {
            var (now, letters) = await ReadAsync(place, state);
            Assert.Equal(first.UidValidity, now.UidValidity);
            Assert.Equal([.. before.Keys, first.UidNext, new Uid(first.UidNext.Value + 1)], letters.Keys);
            Assert.Equal(before.Values.Select(l => l.Octets), letters.Values.SkipLast(2).Select(l => l.Octets));
        }
    }

    [Fact]
    public async Task A_memory_that_is_only_read_is_not_made_and_a_damaged_one_gives_a_new_validity()
    {
        using var place = new MboxPlace();
        using var state = new TemporaryDirectory();
        await File.WriteAllTextAsync(place.Mbox, string.Concat(Messages), Token);
        Assert.True((await ReadAsync(place, state, isReadOnly: true)).Status.UidValidity.IsNone);
        Assert.Empty(Directory.GetFileSystemEntries(state.Path));
        var (first, _) = await ReadAsync(place, state);
        Assert.Equal(first, (await ReadAsync(place, state, isReadOnly: true)).Status);
        await File.WriteAllTextAsync(Assert.Single(Directory.GetFiles(state.Path, "*", SearchOption.AllDirectories)), "damaged\ndamaged\n", Token);
        Assert.NotEqual(first.UidValidity, (await ReadAsync(place, state)).Status.UidValidity);
    }

    private static async Task<(FolderStatus Status, SortedDictionary<Uid, Letter> Letters)> ReadAsync(MboxPlace place, TemporaryDirectory state, bool isReadOnly = false)
    {
        var context = new StoreContext(TimeProvider.System, place.Notes.Add) { MemoryDirectory = Path.Combine(state.Path, "names"), MemoryIsReadOnly = isReadOnly };
        await using var store = await StoreRegistry.OpenAsync(new MboxEndpoint(place.Path), context, Token);
        await using var folder = await store.OpenAsync(MboxPlace.Folder, Token);
        return (folder.Status, await folder.ReadAllAsync());
    }
}
