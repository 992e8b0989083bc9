using Imapsync.Engine.Mail;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Mbox;

public sealed class MboxCrashTests
{
    private static readonly string Hello = new('h', 700);

    // Longer than any message in Window, so that a truncated message followed by this text never has its intended length.
    private static readonly string Foreign = $"From mda@example.org Sat Jan  2 03:04:05 2021\nSubject: delivered meanwhile\n\n{Hello}\n\n";
    private static readonly byte[][] Before = [AwkwardMessages.Ordinary(1), AwkwardMessages.All["CRCRLF"]];

    // Two of these messages look like a whole message when they are truncated in the middle.
    private static readonly byte[][] Window =
    [
        AwkwardMessages.Ordinary(2), AwkwardMessages.All["final empty lines"], AwkwardMessages.All["no final line end"], AwkwardMessages.All["nothing at all"],
        AwkwardMessages.All["From line after an empty line"], AwkwardMessages.All["bare LF"], AwkwardMessages.All["no body and no empty line"],
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Stopped_after_any_octet_of_a_window_a_folder_holds_whole_messages_only()
    {
        using var place = new MboxPlace();
        var crash = await PrepareAsync(place);
        for (var length = crash.MboxBefore; length <= crash.Mbox.Length; length++)
        {
            crash.Restore(place, length);
            var (status, letters) = await place.SettleAsync();
            AssertWhole(letters.Values, length);
            Assert.Equal(crash.Validity, status.UidValidity);
            Assert.Equal(crash.Uids, letters.Keys.Take(2));
            File.Delete(place.Index);
            Assert.Equal(letters.Values.Select(l => l.Octets), (await place.ReadAsync()).Letters.Select(l => l.Octets));
        }
    }

    [Fact]
    public async Task Mail_delivered_after_a_crash_is_kept()
    {
        using var place = new MboxPlace();
        var crash = await PrepareAsync(place);
        for (var length = crash.MboxBefore; length <= crash.Mbox.Length; length++)
        {
            // Skip lengths that end right after the '>' of a quoted "From " line. The text that the test appends would look like part of
            // that line.
            if (crash.Mbox[length - 1] == '>')
                continue;
            crash.Restore(place, length);
            await File.AppendAllTextAsync(place.Mbox, Foreign + Foreign, Token);
            var (_, letters) = await place.SettleAsync();
            var delivered = MboxPlace.Octets($"Subject: delivered meanwhile\r\n\r\n{Hello}\r\n");
            var kept = letters.Values.Count(l => l.Octets.AsSpan().SequenceEqual(delivered));
            Assert.True(kept == 2, $"cut at {length}: {kept} of 2 kept, {System.Text.Encoding.Latin1.GetString(crash.Mbox[..(int)length][^40..])}");
            AssertWhole(letters.Values.Where(l => !l.Octets.AsSpan().SequenceEqual(delivered)), length);
            Assert.Equal(crash.Uids, letters.Keys.Take(2));
            var again = await place.SettleAsync();
            Assert.Equal(letters.Keys, again.Letters.Keys);
        }
    }

    [Fact]
    public async Task A_folder_goes_on_after_a_crash_with_higher_uids()
    {
        using var place = new MboxPlace();
        var crash = await PrepareAsync(place);
        crash.Restore(place, crash.Mbox.Length - 3);
        await using var folder = await place.OpenFolderAsync();
        var there = (await folder.ListAllAsync()).Select(i => i.Uid).Max();
        Assert.True((await folder.AppendAllAsync(Letter.Number(7)))[0] > there);
        Assert.Contains((await place.ReadAsync()).Letters, l => l.Octets.AsSpan().SequenceEqual(AwkwardMessages.Ordinary(7)));
    }

    [Fact]
    public async Task Reading_a_folder_with_an_open_window_shows_whole_messages_and_writes_nothing()
    {
        using var place = new MboxPlace();
        var crash = await PrepareAsync(place);
        for (var length = crash.MboxBefore; length < crash.Mbox.Length; length += 11)
        {
            crash.Restore(place, length);
            AssertWhole((await place.ReadAsync()).Letters, length);
        }
    }

    [Fact]
    public async Task Stopped_between_the_renames_of_a_rewrite_a_folder_keeps_its_uids()
    {
        using var place = new MboxPlace();
        var uids = await place.AppendAsync([.. Before, .. Window]);
        var index = await File.ReadAllBytesAsync(place.Index, Token);
        UidValidity validity;
        await using (var folder = await place.OpenFolderAsync())
        {
            validity = folder.Status.UidValidity;
            await folder.SetFlagsAsync([.. uids.Take(4).Select(u => new FlagChange(u, FlagSet.Parse(["\\Seen", "Work"]), FlagSet.Empty))], Token);
            await folder.RemoveAsync(new UidSet([uids[1]]), trash: null, Token);
        }

        await File.WriteAllBytesAsync(place.Index, index, Token);
        var (status, letters) = await place.SettleAsync();
        Assert.Equal(validity, status.UidValidity);
        Assert.Equal(uids.Where(u => u != uids[1]), letters.Keys);
        Assert.Equal(FlagSet.Parse(["\\Seen", "Work"]), letters[uids[0]].Flags);
        Assert.Equal(FlagSet.Empty, letters[uids[^1]].Flags);
    }

    [Fact]
    public async Task Leftovers_of_a_rewrite_are_removed()
    {
        using var place = new MboxPlace();
        await place.AppendAsync(Before);
        await File.WriteAllTextAsync(place.Mbox + ".imapsync-new", "From half", Token);
        await File.WriteAllTextAsync(place.Index + ".imapsync-new", "half", Token);
        await place.SettleAsync();
        Assert.Equal([place.Mbox, place.Index], Directory.GetFiles(place.Path).Order());
    }

    private static void AssertWhole(IEnumerable<Letter> letters, long length)
    {
        var octets = letters.Select(l => l.Octets).ToList();
        byte[][] all = [.. Before, .. Window];
        Assert.True(octets.Count >= Before.Length, $"cut at {length}: {octets.Count} messages");
        for (var i = 0; i < octets.Count; i++)
            Assert.True(octets[i].AsSpan().SequenceEqual(all[i]), $"cut at {length}: message {i} is torn");
    }

    private static async Task<Crash> PrepareAsync(MboxPlace place)
    {
        var uids = await place.AppendAsync(Before);
        var (validity, mboxBefore, indexBefore) = (default(UidValidity), new FileInfo(place.Mbox).Length, new FileInfo(place.Index).Length);
        await using (var folder = await place.OpenFolderAsync())
        {
            validity = folder.Status.UidValidity;
            await folder.AppendAllAsync([.. Window.Select(Letter.Of)]);
        }

        var lines = (await File.ReadAllTextAsync(place.Index, Token))[(int)indexBefore..].Split('\n');
        var begun = lines.TakeWhile(l => l[0] is 'w' or 'b').ToList();
        Assert.Equal(1 + Window.Length, begun.Count);
        var index = (await File.ReadAllTextAsync(place.Index, Token))[..(int)indexBefore] + string.Concat(begun.Select(l => l + "\n"));
        return new Crash(uids, validity, mboxBefore, await File.ReadAllBytesAsync(place.Mbox, Token), index);
    }

    private sealed record Crash(IReadOnlyList<Uid> Uids, UidValidity Validity, long MboxBefore, byte[] Mbox, string Index)
    {
        public void Restore(MboxPlace place, long length)
        {
            File.WriteAllBytes(place.Mbox, Mbox[..(int)length]);
            File.WriteAllText(place.Index, Index);
        }
    }
}
