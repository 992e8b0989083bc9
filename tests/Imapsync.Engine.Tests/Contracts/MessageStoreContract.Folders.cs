using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Contracts;

public abstract partial class MessageStoreContract
{
    /// <summary>Folder paths, in text form, that a hostile or merely unusual server may send.</summary>
    public static TheoryData<string> FolderNames =>
    [
        "INBOX", "Sent", "A/B/C", "INBOX/Sub", "Sent Items", "Entwürfe", "日本語/台北", "😀", "&", "&AOk-", "a&b", "a.b", ".", "..", "../..", "a/../b", ".hidden",
        "a\\/b", "\\/etc\\/passwd", "\\\\server\\\\share", "~", "~root", "x~0123456789abcdef", "nul\0nul", "line\nend\r\n", "tab\t", "\u007f", "\u0001", " leading", "trailing ", "*%?<>|\":", "$(reboot)", "-rf",
        "cur", "new", "tmp", "A/cur", "A/new/tmp", "cur/new", "Cur", "dovecot-uidlist", "dovecot-keywords", "dovecot.index", "subscriptions", "maildirfolder",
        "a.mbox", "a.sbd", "a.sbd/b.mbox", "a.index", "a.lock", "con", "aux.txt", "[Gmail]/All Mail", "%41", "a%2Fb", "=2E", "e\u0301",
    ];

    [Theory]
    [MemberData(nameof(FolderNames))]
    public async Task A_folder_is_listed_under_the_path_it_was_created_with(string name)
    {
        var path = FolderPath.Parse(name);
        await using (var folder = await OpenFolderAsync(path))
            await folder.AppendAllAsync(Letter.Number(1));
        var store = await OpenStoreAsync(forWriting: false);
        var holding = (await store.ListFoldersAsync(Token)).Where(f => f.HoldsMessages && !f.Path.IsInbox);
        Assert.Equal(path.IsInbox ? [] : [path], holding.Select(f => f.Path));
        Assert.Equal(AwkwardMessages.Ordinary(1), Assert.Single(await ReadBackAsync(path)).Value.Octets);
    }

    [Fact]
    public async Task All_those_folders_live_side_by_side()
    {
        var names = FolderNames.Select(r => r.Data).Concat(LongNames()).ToArray();
        var store = await OpenStoreAsync();
        for (var i = 0; i < names.Length; i++)
        {
            await store.CreateFolderAsync(FolderPath.Parse(names[i]), SpecialFolder.None, Token);
            await using var folder = await store.OpenForWritingAsync(FolderPath.Parse(names[i]), Token);
            await folder.AppendAllAsync(Letter.Number(i));
        }

        var listed = (await (await OpenStoreAsync(forWriting: false)).ListFoldersAsync(Token)).Select(f => f.Path).ToList();
        Assert.Equal(listed.Distinct(), listed);
        Assert.Empty(names.Select(FolderPath.Parse).Except(listed));
        for (var i = 0; i < names.Length; i++)
            Assert.Equal(AwkwardMessages.Ordinary(i), Assert.Single(await ReadBackAsync(FolderPath.Parse(names[i]))).Value.Octets);
    }

    [Fact]
    public async Task Names_longer_than_a_file_name_are_kept()
    {
        foreach (var name in LongNames())
        {
            await using var folder = await OpenFolderAsync(FolderPath.Parse(name));
            await folder.AppendAllAsync(Letter.Number(name.Length));
        }

        var listed = await (await OpenStoreAsync(forWriting: false)).ListFoldersAsync(Token);
        foreach (var path in LongNames().Select(FolderPath.Parse))
        {
            Assert.Contains(listed, f => f.Path.Equals(path) && f.HoldsMessages);
            Assert.Equal(AwkwardMessages.Ordinary(path.ToString().Length), Assert.Single(await ReadBackAsync(path)).Value.Octets);
        }
    }

    [Fact]
    public async Task Names_equal_but_for_case_are_two_folders()
    {
        await using (var upper = await OpenFolderAsync(new FolderPath("Archive")))
        await using (var lower = await OpenFolderAsync(new FolderPath("archive")))
        {
            await upper.AppendAllAsync(Letter.Number(1));
            await lower.AppendAllAsync(Letter.Number(2));
        }

        Assert.Equal(AwkwardMessages.Ordinary(1), Assert.Single(await ReadBackAsync(new FolderPath("Archive"))).Value.Octets);
        Assert.Equal(AwkwardMessages.Ordinary(2), Assert.Single(await ReadBackAsync(new FolderPath("archive"))).Value.Octets);
    }

    [Fact]
    public async Task A_folder_may_hold_messages_and_folders()
    {
        await using (var parent = await OpenFolderAsync(new FolderPath("A")))
        await using (var child = await OpenFolderAsync(new FolderPath("A", "B")))
        {
            await child.AppendAllAsync(Letter.Number(2));
            await parent.AppendAllAsync(Letter.Number(1));
        }

        Assert.Equal(AwkwardMessages.Ordinary(1), Assert.Single(await ReadBackAsync(new FolderPath("A"))).Value.Octets);
        Assert.Equal(AwkwardMessages.Ordinary(2), Assert.Single(await ReadBackAsync(new FolderPath("A", "B"))).Value.Octets);
    }

    [Fact]
    public async Task Creating_a_folder_again_changes_nothing()
    {
        await using (var folder = await OpenFolderAsync())
            await folder.AppendAllAsync(Letter.Number(1));
        var store = await OpenStoreAsync();
        await store.CreateFolderAsync(Archive, SpecialFolder.Archive, Token);
        await store.CreateFolderAsync(FolderPath.Inbox, SpecialFolder.Inbox, Token);
        Assert.Single(await ReadBackAsync());
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_gone()
    {
        var store = await OpenStoreAsync();
        foreach (var open in new Func<Task>[]
        {
            () => store.OpenAsync(Archive, Token), () => store.OpenForWritingAsync(Archive, Token), () => store.GetStatusAsync(Archive, Token),
        })
        {
            var thrown = await Assert.ThrowsAsync<MailException>(open);
            Assert.Equal((FailureKind.Gone, FailureScope.Folder), (thrown.Kind, thrown.Scope));
        }
    }

    [Fact]
    public async Task Subscriptions_are_remembered()
    {
        FolderPath[] folders = [new("A"), new("A", "B"), new("Entwürfe"), new("a.b/c\tx"), FolderPath.Inbox];
        var store = await OpenStoreAsync();
        foreach (var folder in folders)
        {
            await store.CreateFolderAsync(folder, SpecialFolder.None, Token);
            await store.SetSubscribedAsync(folder, subscribed: true, Token);
            await store.SetSubscribedAsync(folder, subscribed: true, Token);
        }

        await store.SetSubscribedAsync(folders[1], subscribed: false, Token);
        await store.SetSubscribedAsync(new FolderPath("not there"), subscribed: false, Token);
        var listed = await (await OpenStoreAsync(forWriting: false)).ListFoldersAsync(Token);
        Assert.Equal(folders.Except([folders[1]]).Order(), listed.Where(f => f.Subscribed).Select(f => f.Path).Order());
    }

    [Fact]
    public async Task The_store_describes_itself()
    {
        var store = await OpenStoreAsync();
        Assert.NotEmpty(await store.DescribeAsync(Token));
        Assert.True(store.Traits.MaxConcurrentFolders >= 1);
    }

    private static IEnumerable<string> LongNames() =>
    [
        new('x', 300), new string('x', 299) + "y", new('é', 400), new string('d', 300) + "/child", "parent/" + new string('.', 200),
        string.Join('/', Enumerable.Repeat("level", 60)), string.Join('/', Enumerable.Repeat("level", 59)) + "/lever",
    ];
}
