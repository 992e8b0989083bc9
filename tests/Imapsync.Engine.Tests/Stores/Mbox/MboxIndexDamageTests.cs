using Imapsync.Tests.Support;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Mbox;

public sealed class MboxIndexDamageTests
{
    private static readonly byte[][] Messages =
    [
        AwkwardMessages.Ordinary(1), AwkwardMessages.Ordinary(1), AwkwardMessages.All["From lines"], AwkwardMessages.All["bare LF"],
        AwkwardMessages.All["no final line end"], AwkwardMessages.All["headers of mbox programs"], AwkwardMessages.Ordinary(2),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_index_cut_at_any_length_costs_no_message_and_moves_no_uid()
    {
        using var place = new MboxPlace();
        var (mbox, index, uids, validity) = await PrepareAsync(place);
        for (var length = 0; length <= index.Length; length++)
            await AssertNothingLostAsync(place, mbox, index[..length], uids, validity, $"cut at {length}");
    }

    [Fact]
    public async Task An_index_with_flipped_octets_costs_no_message_and_moves_no_uid()
    {
        using var place = new MboxPlace();
        var (mbox, index, uids, validity) = await PrepareAsync(place);
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 400; round++)
        {
            var damaged = index.ToArray();
            for (var flips = random.Next(1, 4); flips > 0; flips--)
                damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            await AssertNothingLostAsync(place, mbox, damaged, uids, validity, $"seed {seed}, round {round}");
        }
    }

    [Fact]
    public async Task An_index_of_another_file_is_not_believed()
    {
        using var place = new MboxPlace();
        await place.AppendAsync(AwkwardMessages.Ordinary(5), AwkwardMessages.Ordinary(6));
        var index = await File.ReadAllBytesAsync(place.Index, Token);
        File.Delete(place.Index);
        File.Delete(place.Mbox);
        await place.AppendAsync(Messages);
        await File.WriteAllBytesAsync(place.Index, index, Token);
        var (_, letters) = await place.SettleAsync();
        Assert.Equal(Messages, letters.Values.Select(l => l.Octets));
        Assert.All(letters.Keys, u => Assert.True(u.Value >= 3));
    }

    [Fact]
    public async Task Flags_changed_by_another_program_are_taken_over_and_uids_stay()
    {
        using var place = new MboxPlace();
        var uids = await place.AppendAsync(AwkwardMessages.Ordinary(1), AwkwardMessages.Ordinary(2));
        var text = await File.ReadAllTextAsync(place.Mbox, Token);
        await File.WriteAllTextAsync(place.Mbox, text.Replace("<2@example.com>\n", "<2@example.com>\nStatus: RO\nX-Status: A\n", StringComparison.Ordinal), Token);
        Assert.False((await place.ReadAsync()).Status.UidValidity.IsNone);
        var (_, letters) = await place.SettleAsync();
        Assert.Equal(uids, letters.Keys);
        Assert.Equal(FlagSet.Parse(["\\Seen", "\\Answered"]), letters[uids[1]].Flags);
    }

    [Fact]
    public async Task Mail_delivered_to_an_open_folder_is_taken_in_with_the_next_window()
    {
        using var place = new MboxPlace();
        await using var folder = await place.OpenFolderAsync();
        var first = await folder.AppendAllAsync(Letter.Number(1));
        await File.AppendAllTextAsync(place.Mbox, "From x@example.org Sat Jan  2 03:04:05 2021\nSubject: delivered\n\nno empty line after it\n", Token);
        var second = await folder.AppendAllAsync(Letter.Number(2));
        var letters = await folder.ReadAllAsync();
        Assert.Equal(3, letters.Count);
        Assert.Equal([first[0], new Uid(first[0].Value + 1), second[0]], letters.Keys);
        Assert.Equal(MboxPlace.Octets("Subject: delivered\r\n\r\nno empty line after it\r\n"), letters[new Uid(first[0].Value + 1)].Octets);
        Assert.Equal(letters.Values.Select(l => l.Octets), (await place.ReadAsync()).Letters.Select(l => l.Octets));
    }

    /// <summary>Writes several batches of messages, with a gap in the UIDs.</summary>
    private static async Task<(byte[] Mbox, byte[] Index, List<Uid> Uids, UidValidity Validity)> PrepareAsync(MboxPlace place)
    {
        List<Uid> uids = [.. await place.AppendAsync(AwkwardMessages.Ordinary(9), Messages[0], Messages[1])];
        await using var folder = await place.OpenFolderAsync();
        await folder.RemoveAsync(new UidSet([uids[0]]), trash: null, Token);
        uids.RemoveAt(0);
        uids.AddRange(await folder.AppendAllAsync([.. Messages[2..5].Select(Letter.Of)]));
        uids.AddRange(await folder.AppendAllAsync([.. Messages[5..].Select(Letter.Of)]));
        return (await File.ReadAllBytesAsync(place.Mbox, Token), await File.ReadAllBytesAsync(place.Index, Token), uids, folder.Status.UidValidity);
    }

    private static async Task AssertNothingLostAsync(
        MboxPlace place, byte[] mbox, byte[] index, List<Uid> uids, UidValidity validity, string what)
    {
        var modified = File.GetLastWriteTimeUtc(place.Mbox);
        await File.WriteAllBytesAsync(place.Mbox, mbox, Token);
        File.SetLastWriteTimeUtc(place.Mbox, modified);
        await File.WriteAllBytesAsync(place.Index, index, Token);
        var read = await place.ReadAsync();
        var (status, letters) = await place.SettleAsync();
        var mboxAfter = await File.ReadAllBytesAsync(place.Mbox, Token);
        Assert.True(mboxAfter.AsSpan().SequenceEqual(mbox), $"{what}: the mbox was changed");
        foreach (var seen in new[] { (read.Status, read.Letters), (status, letters.Values.ToList()) })
        {
            Assert.True(seen.Item2.Count == Messages.Length, $"{what}: {seen.Item2.Count} messages");
            for (var i = 0; i < Messages.Length; i++)
                Assert.True(seen.Item2[i].Octets.AsSpan().SequenceEqual(Messages[i]), $"{what}: message {i} differs");
        }

        // Under an unchanged UIDVALIDITY, each UID must denote the same message as before.
        Assert.True(status.UidValidity != validity || letters.Keys.SequenceEqual(uids), $"{what}: UIDs moved");
        Assert.False(status.UidValidity.IsNone);
    }
}
