using System.Text;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    public static TheoryData<string> AwkwardNames => [.. AwkwardMessages.All.Keys];

    [Theory]
    [MemberData(nameof(AwkwardNames))]
    public async Task An_awkward_message_comes_back_octet_for_octet(string name)
    {
        await using (var folder = await OpenFolderAsync())
            await folder.AppendAllAsync(Letter.Of(AwkwardMessages.All[name]));
        var letter = Assert.Single(await ReadBackAsync()).Value;
        Assert.Equal(AwkwardMessages.All[name], letter.Octets);
    }

    [Fact]
    public async Task Awkward_messages_do_not_disturb_each_other()
    {
        var letters = AwkwardMessages.All.Values.Select(Letter.Of).ToArray();
        await using var folder = await OpenFolderAsync();
        var first = await folder.AppendAllAsync(letters);
        var second = await folder.AppendAllAsync(letters);
        var read = await ReadBackAsync();
        Assert.Equal(first.Concat(second).Order(), read.Keys);
        for (var i = 0; i < letters.Length; i++)
        {
            Assert.Equal(letters[i].Octets, read[first[i]].Octets);
            Assert.Equal(letters[i].Octets, read[second[i]].Octets);
        }
    }

    [Fact]
    public async Task The_size_listed_is_the_number_of_octets_read()
    {
        await using (var folder = await OpenFolderAsync())
            await folder.AppendAllAsync([.. AwkwardMessages.All.Values.Select(Letter.Of)]);
        var store = await OpenStoreAsync(forWriting: false);
        await using var reading = await store.OpenAsync(Archive, Token);
        var sizes = (await reading.ListAllAsync()).ToDictionary(i => i.Uid, i => i.Size);
        Assert.All(await reading.ReadAllAsync(), l => Assert.Equal(l.Value.Octets.Length, sizes[l.Key]));
    }

    [Fact]
    public async Task Headers_are_read_through_the_empty_line()
    {
        await using var folder = await OpenFolderAsync();
        var uids = await folder.AppendAllAsync(
            Letter.Number(1), Letter.Of(AwkwardMessages.All["no header"]), Letter.Of(AwkwardMessages.All["no body and no empty line"]),
            Letter.Of(AwkwardMessages.All["nothing at all"]), Letter.Of(AwkwardMessages.All["bare LF only"]), Letter.Of(AwkwardMessages.All["large"]));
        var headers = new Dictionary<Uid, string>();
        await foreach (var header in folder.ReadHeadersAsync(new UidSet(uids), Token))
            headers.Add(header.Uid, Encoding.Latin1.GetString(header.Octets.Span));
        Assert.Equal("From: a@example.com\r\nSubject: number 1\r\nMessage-ID: <1@example.com>\r\n\r\n", headers[uids[0]]);
        Assert.Equal("\r\n", headers[uids[1]]);
        Assert.Equal(Encoding.Latin1.GetString(AwkwardMessages.All["no body and no empty line"]), headers[uids[2]]);
        Assert.Equal("", headers[uids[3]]);
        Assert.Equal("From: a@example.com\nSubject: x\nMessage-ID: <1@example.com>\n\n", headers[uids[4]]);
        Assert.EndsWith("<1@example.com>\r\n\r\n", headers[uids[5]], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_header_without_end_is_cut_at_one_mebibyte()
    {
        await using var folder = await OpenFolderAsync();
        var octets = new byte[3 << 20];
        octets.AsSpan().Fill((byte)'x');
        var uids = await folder.AppendAllAsync(Letter.Of(octets));
        await foreach (var header in folder.ReadHeadersAsync(new UidSet(uids), Token))
            Assert.Equal(1 << 20, header.Octets.Length);
    }

    [Fact]
    public async Task A_body_left_unread_does_not_disturb_the_next_message()
    {
        await using var folder = await OpenFolderAsync();
        Letter[] letters = [Letter.Of(AwkwardMessages.All["large"]), Letter.Number(2), Letter.Of(AwkwardMessages.All["large"]), Letter.Number(4)];
        await folder.AppendAllAsync(letters);
        var read = new List<byte[]>();
        await foreach (var message in folder.ReadAsync(await folder.ListAllAsync(), Token))
        {
            if (message.Length < 1_000)
                read.Add(await StoreReading.ReadToEndAsync(message.Body));
        }

        Assert.Equal([letters[1].Octets, letters[3].Octets], read);
    }

    [Fact]
    public async Task Two_identical_messages_stay_two()
    {
        await using var folder = await OpenFolderAsync();
        var uids = await folder.AppendAllAsync(Letter.Number(1), Letter.Number(1));
        Assert.NotEqual(uids[0], uids[1]);
        Assert.Equal(2, (await ReadBackAsync()).Count);
    }

    [Fact]
    public async Task Thousands_of_messages_keep_their_uids_and_octets()
    {
        const int count = 5_000;
        await using var folder = await OpenFolderAsync();
        var uids = new List<Uid>();
        for (var i = 0; i < count; i += 1_000)
            uids.AddRange(await folder.AppendAllAsync([.. Enumerable.Range(i, 1_000).Select(Letter.Number)]));
        var read = await ReadBackAsync();
        Assert.Equal(count, read.Count);
        for (var i = 0; i < count; i++)
            Assert.Equal(AwkwardMessages.Ordinary(i), read[uids[i]].Octets);
    }
}
