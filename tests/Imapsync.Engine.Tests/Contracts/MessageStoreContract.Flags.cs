using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    public static TheoryData<string> FlagTexts =>
        ["", "\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "\\Seen \\Answered \\Flagged \\Deleted \\Draft", "$Forwarded", "$Label1 Work", "\\Seen $Forwarded $MDNSent NonJunk"];

    [Theory]
    [MemberData(nameof(FlagTexts))]
    public async Task Flags_keywords_and_date_come_back(string names)
    {
        var flags = FlagSet.Parse(names.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        await using (var folder = await OpenFolderAsync())
            await folder.AppendAllAsync(Letter.Number(1) with { Flags = flags });
        var letter = Assert.Single(await ReadBackAsync()).Value;
        Assert.Equal(flags, letter.Flags);
        Assert.Equal(Letter.SomeDate, letter.Date);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(951_782_400)]
    [InlineData(4_102_444_800)]
    public async Task Dates_come_back(long seconds)
    {
        var date = DateTimeOffset.FromUnixTimeSeconds(seconds);
        await using (var folder = await OpenFolderAsync())
            await folder.AppendAllAsync(Letter.Number(1) with { Date = date.ToOffset(TimeSpan.FromHours(5.5)) });
        Assert.Equal(date, Assert.Single(await ReadBackAsync()).Value.Date);
    }

    [Fact]
    public async Task Flags_are_added_and_removed_and_the_rest_stays()
    {
        await using var folder = await OpenFolderAsync();
        var uids = await folder.AppendAllAsync(
            Letter.Number(1), Letter.Number(2) with { Flags = FlagSet.Parse(["\\Seen", "Work"]) }, Letter.Number(3) with { Flags = FlagSet.Parse(["\\Seen"]) });
        var changed = await folder.SetFlagsAsync(
            [
                new FlagChange(uids[0], FlagSet.Parse(["\\Flagged", "Home"]), FlagSet.Empty),
                new FlagChange(uids[1], FlagSet.Parse(["\\Answered"]), FlagSet.Parse(["work"])),
                new FlagChange(uids[2], FlagSet.Parse(["\\Seen"]), FlagSet.Parse(["\\Draft"])),
                new FlagChange(new Uid(uids.Max().Value + 1_000), FlagSet.Parse(["\\Seen"]), FlagSet.Empty),
            ],
            Token);
        Assert.Equal(2, changed);
        var read = await ReadBackAsync();
        Assert.Equal(FlagSet.Parse(["\\Flagged", "Home"]), read[uids[0]].Flags);
        Assert.Equal(FlagSet.Parse(["\\Seen", "\\Answered"]), read[uids[1]].Flags);
        Assert.Equal(FlagSet.Parse(["\\Seen"]), read[uids[2]].Flags);
        Assert.Equal(AwkwardMessages.Ordinary(1), read[uids[0]].Octets);
        Assert.Equal(Letter.SomeDate, read[uids[0]].Date);
    }

    [Fact]
    public async Task All_flags_can_be_taken_away_again()
    {
        await using var folder = await OpenFolderAsync();
        var flags = FlagSet.Parse(["\\Seen", "\\Deleted", "Work"]);
        var uids = await folder.AppendAllAsync(Letter.Number(1) with { Flags = flags });
        Assert.Equal(1, await folder.SetFlagsAsync([new FlagChange(uids[0], FlagSet.Empty, flags)], Token));
        Assert.Equal(FlagSet.Empty, Assert.Single(await ReadBackAsync()).Value.Flags);
    }

    [Fact]
    public async Task Flags_set_are_listed_by_the_same_folder_at_once()
    {
        await using var folder = await OpenFolderAsync();
        var uids = await folder.AppendAllAsync(Letter.Number(1), Letter.Number(2));
        await folder.ListAllAsync();
        await folder.SetFlagsAsync([new FlagChange(uids[1], FlagSet.Parse(["\\Seen"]), FlagSet.Empty)], Token);
        Assert.Equal(FlagSet.Parse(["\\Seen"]), (await folder.ListAllAsync(new ListRequest())).Single(i => i.Uid == uids[1]).Flags);
    }

    [Fact]
    public async Task Exactly_the_messages_named_are_removed()
    {
        await using var folder = await OpenFolderAsync();
        var uids = await folder.AppendAllAsync([.. Enumerable.Range(1, 5).Select(Letter.Number)]);
        Assert.Equal(2, await folder.RemoveAsync(new UidSet([uids[1], uids[3], new Uid(uids.Max().Value + 1_000)]), trash: null, Token));
        Assert.Equal([uids[0], uids[2], uids[4]], (await ReadBackAsync()).Keys);
    }

    [Fact]
    public async Task Removed_messages_go_to_the_trash_as_they_were()
    {
        var trash = new FolderPath("Removed");
        await using (await OpenFolderAsync(trash))
        await using (var folder = await OpenFolderAsync())
        {
            var letter = Letter.Of(AwkwardMessages.All["bare LF"]) with { Flags = FlagSet.Parse(["\\Seen", "Work"]) };
            var uids = await folder.AppendAllAsync(Letter.Number(1) with { Flags = FlagSet.Parse(["Home"]) }, letter, Letter.Number(3));
            Assert.Equal(1, await folder.RemoveAsync(new UidSet([uids[1]]), trash, Token));
            Assert.Equal([uids[0], uids[2]], (await ReadBackAsync()).Keys);
            var moved = Assert.Single(await ReadBackAsync(trash)).Value;
            Assert.Equal(letter.Octets, moved.Octets);
            Assert.Equal(letter.Flags, moved.Flags);
            Assert.Equal(letter.Date, moved.Date);
        }
    }

    [Fact]
    public async Task The_uid_of_a_removed_message_is_never_given_again()
    {
        await using (var folder = await OpenFolderAsync())
        {
            var uids = await folder.AppendAllAsync(Letter.Number(1), Letter.Number(2));
            await folder.RemoveAsync(new UidSet(uids), trash: null, Token);
            Assert.True((await folder.AppendAllAsync(Letter.Number(3)))[0] > uids.Max());
            await folder.RemoveAsync(UidSet.Range(new Uid(1), new Uid(uint.MaxValue)), trash: null, Token);
        }

        await using var again = await OpenFolderAsync();
        Assert.True((await again.AppendAllAsync(Letter.Number(4)))[0].Value >= 4);
    }
}
