using System.Globalization;
using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Maildir;

/// <summary>The files of a Maildir on disk, which other programs also read and write.</summary>
public sealed class MaildirOnDiskTests : IAsyncDisposable
{
    private readonly MaildirFixture fixture = new(MaildirLayout.MaildirPlusPlus);
    private readonly List<string> notes = [];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Root => fixture.Root;

    public ValueTask DisposeAsync() => fixture.DisposeAsync();

    [Fact]
    public async Task A_message_without_flags_lies_in_new_and_others_in_cur()
    {
        await using var folder = await OpenAsync();
        await folder.AppendAllAsync(Letter.Number(1), Letter.Number(2) with { Flags = FlagSet.Parse(["\\Seen", "\\Draft", "$Forwarded", "Work"]) });
        var first = Assert.Single(Directory.GetFiles(Path.Combine(Root, "new")));
        Assert.DoesNotContain(':', Path.GetFileName(first));
        Assert.Equal(Letter.SomeDate.UtcDateTime, File.GetLastWriteTimeUtc(first));
        Assert.EndsWith(":2,DPSab", Assert.Single(Directory.GetFiles(Path.Combine(Root, "cur"))), StringComparison.Ordinal);
        Assert.Equal("0 $Forwarded\n1 Work\n", await File.ReadAllTextAsync(Path.Combine(Root, "dovecot-keywords"), Token));
        Assert.Empty(Directory.GetFiles(Path.Combine(Root, "tmp")));
    }

    [Theory]
    [InlineData("a\r\nb\r\n", "a\nb\n", ",S=4,W=6")]
    [InlineData("a\r\r\nb\r\n", "a\r\r\nb\r\n", ",S=7,W=7")]
    [InlineData("a\nb\r\n", "a\nb\r\n", ",S=5,W=6,L=1")]
    [InlineData("a\rb", "a\rb", ",S=3,W=3")]
    public async Task Line_ends_are_lf_where_they_come_back(string octets, string onDisk, string fields)
    {
        await using var folder = await OpenAsync();
        await folder.AppendAllAsync(Letter.Of(Encoding.ASCII.GetBytes(octets)));
        var file = Assert.Single(Directory.GetFiles(Path.Combine(Root, "new")));
        Assert.Equal(onDisk, await File.ReadAllTextAsync(file, Token));
        Assert.EndsWith(fields, file, StringComparison.Ordinal);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public async Task Everything_belongs_to_its_owner_alone()
    {
        await using var folder = await OpenAsync(new FolderPath("A", "B"));
        await folder.AppendAllAsync(Letter.Number(1));
        foreach (var entry in Directory.EnumerateFileSystemEntries(Root, "*", SearchOption.AllDirectories).Append(Root))
            Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(entry) & (UnixFileMode)0b111_111);
    }

    [Fact]
    public async Task Reading_writes_nothing_and_promises_nothing_about_uids_it_had_to_make_up()
    {
        Deliver("new", "1000.a.host", "Subject: 1\n\n");
        Deliver("cur", "1001.b.host,U=7,FMD5=0123:2,S", "Subject: 2\n\n");
        Deliver("cur", "1002.c.host;2,F", "Subject: 3\n\n");
        Deliver("cur", "1003.d.host!2,R", "Subject: 4\n\n");
        Deliver("cur", ".nfs0001", "no message");
        Deliver("tmp", "1004.e.host", "no message yet");
        var before = Directory.GetFileSystemEntries(Root, "*", SearchOption.AllDirectories);
        var store = await fixture.OpenAsync(forWriting: false, Context, Token);
        await using var folder = await store.OpenAsync(FolderPath.Inbox, Token);
        Assert.True(folder.Status.UidValidity.IsNone);
        Assert.Equal(["", "\\Seen", "\\Flagged", "\\Answered"], (await folder.ListAllAsync()).Select(i => i.Flags.ToString()));
        Assert.Equal("Subject: 1\r\n\r\n"u8.ToArray(), (await folder.ReadAllAsync()).First().Value.Octets);
        Assert.Equal(before, Directory.GetFileSystemEntries(Root, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Messages_of_others_get_uids_once_the_folder_is_open_for_writing()
    {
        Deliver("new", "1000.a.host", "Subject: 1\n\n");
        await using var folder = await OpenAsync();
        var mark = folder.UidNext;
        var own = (await folder.AppendAllAsync(Letter.Number(1)))[0];
        var listed = await folder.ListAllAsync();
        Assert.Equal(2, listed.Count);
        Assert.All(listed, i => Assert.True(i.Uid >= mark));
        await using var again = await OpenAsync();
        Assert.Equal(listed, await again.ListAllAsync());
        Assert.Contains(own, listed.Select(i => i.Uid));
    }

    [Fact]
    public async Task Lines_that_a_server_appends_to_the_uidlist_are_seen()
    {
        await using var folder = await OpenAsync();
        await folder.AppendAllAsync(Letter.Number(1));
        Deliver("cur", "1000.M1P2.host,S=12,W=14:2,S", "Subject: 1\n\n");
        await File.AppendAllTextAsync(UidListPath, "41 W14 S12 :1000.M1P2.host,S=12,W=14\n", Token);
        Assert.Equal(new Uid(42), (await folder.AppendAllAsync(Letter.Number(2)))[0]);
        Assert.Equal([new Uid(1), new Uid(41), new Uid(42)], (await folder.ListAllAsync()).Select(i => i.Uid));
    }

    [Fact]
    public async Task A_torn_last_line_of_the_uidlist_is_cut_off()
    {
        await using (var folder = await OpenAsync())
            await folder.AppendAllAsync(Letter.Number(1));
        await File.AppendAllTextAsync(UidListPath, "2 :177", Token);
        await using var again = await OpenAsync();
        Assert.Equal(new Uid(2), (await again.AppendAllAsync(Letter.Number(2)))[0]);
        var lines = await File.ReadAllLinesAsync(UidListPath, Token);
        Assert.Equal(3, lines.Length);
        Assert.All(lines[1..], (l, i) => Assert.StartsWith($"{i + 1} :", l, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("nonsense\n\0\n")]
    [InlineData("3 V0 N0\n")]
    [InlineData("3 V7 N99999999999999999999\nx :y\n4294967295 :z\n1 :\n 3 :q\n")]
    public async Task Any_bytes_in_the_uidlist_leave_a_folder_that_works(string contents)
    {
        await using (await OpenAsync())
            await File.WriteAllTextAsync(UidListPath, contents, Token);
        Deliver("cur", "1000.a.host:2,", "Subject: 1\n\n");
        await using var folder = await OpenAsync();
        Assert.False(folder.Status.UidValidity.IsNone);
        Assert.Single(await folder.ListAllAsync());
    }

    [Fact]
    public async Task Keywords_beyond_the_letters_are_left_out_and_said_once()
    {
        await using var folder = await OpenAsync();
        var letters = Enumerable.Range(0, 40).Select(i => Letter.Number(i) with { Flags = FlagSet.Parse([string.Create(CultureInfo.InvariantCulture, $"Keyword{i}"), "\\Seen"]) });
        await folder.AppendAllAsync([.. letters]);
        Assert.Single(notes);
        Assert.Equal(26, (await folder.ListAllAsync()).Sum(i => i.Flags.Keywords.Length));
        Assert.All(await folder.ListAllAsync(), i => Assert.Equal(MessageFlags.Seen, i.Flags.System));
    }

    [Fact]
    public async Task What_others_wrote_into_a_name_stays()
    {
        Deliver("cur", "1000.a.host:2,SXz,foreign=1", "Subject: 1\n\n");
        await using var folder = await OpenAsync();
        var uid = Assert.Single(await folder.ListAllAsync()).Uid;
        await folder.SetFlagsAsync([new FlagChange(uid, FlagSet.Parse(["\\Flagged"]), FlagSet.Parse(["\\Seen"]))], Token);
        Assert.Equal("1000.a.host:2,FXz,foreign=1", Path.GetFileName(Assert.Single(Directory.GetFiles(Path.Combine(Root, "cur")))));
    }

    [Fact]
    public async Task A_message_renamed_meanwhile_is_found_under_its_new_name()
    {
        await using var folder = await OpenAsync();
        var uid = (await folder.AppendAllAsync(Letter.Number(1)))[0];
        var store = await fixture.OpenAsync(forWriting: false, Context, Token);
        await using var reading = await store.OpenAsync(FolderPath.Inbox, Token);
        await using var reader = reading.ReadAsync([new MessageInfo(uid, FlagSet.Empty)], Token).GetAsyncEnumerator(Token);
        var file = Assert.Single(Directory.GetFiles(Path.Combine(Root, "new")));
        File.Move(file, Path.Combine(Root, "cur", Path.GetFileName(file) + ":2,T"));
        Assert.True(await reader.MoveNextAsync());
        Assert.Equal(AwkwardMessages.Ordinary(1), await StoreReading.ReadToEndAsync(reader.Current.Body));
    }

    [Fact]
    public async Task Temporary_files_of_a_dead_process_are_removed_and_others_stay()
    {
        await using (await OpenAsync())
        {
        }

        var host = Environment.MachineName;
        Deliver("tmp", $"1000.M000001P{int.MaxValue}Q1R00000000.{host}", "dead");
        Deliver("tmp", $"1000.M000001P{Environment.ProcessId}Q1R00000000.{host}", "of an earlier process with this number");
        Deliver("tmp", $"1000.M000001P{int.MaxValue}Q1R00000000.elsewhere", "perhaps alive");
        Deliver("tmp", $"1000.M000002P{int.MaxValue}Q1R00000000.elsewhere", "old");
        File.SetLastWriteTimeUtc(Path.Combine(Root, "tmp", $"1000.M000002P{int.MaxValue}Q1R00000000.elsewhere"), DateTime.UnixEpoch);
        Deliver("tmp", "1000.P77.foreign", "not ours");
        await using var folder = await OpenAsync();
        Assert.Equal(["perhaps alive", "not ours"], Directory.GetFiles(Path.Combine(Root, "tmp")).Select(File.ReadAllText).OrderDescending());
    }

    [Fact]
    public async Task A_lock_left_behind_is_broken()
    {
        await using var folder = await OpenAsync();
        await File.WriteAllTextAsync(UidListPath + ".lock", $"{int.MaxValue}:{Environment.MachineName}", Token);
        await folder.AppendAllAsync(Letter.Number(1));
        await File.WriteAllTextAsync(UidListPath + ".lock", "1:elsewhere", Token);
        File.SetLastWriteTimeUtc(UidListPath + ".lock", DateTime.UnixEpoch);
        await folder.AppendAllAsync(Letter.Number(2));
        Assert.False(File.Exists(UidListPath + ".lock"));
    }

    [Fact]
    public async Task Symbolic_links_lead_nowhere()
    {
        await using (await OpenAsync())
        {
        }

        using var outside = new TemporaryDirectory();
        await File.WriteAllTextAsync(Path.Combine(outside.Path, "secret"), "secret", Token);
        foreach (var name in new[] { "cur", "new", "tmp" })
            Directory.CreateDirectory(Path.Combine(outside.Path, name));
        File.CreateSymbolicLink(Path.Combine(Root, "cur", "1000.a.host:2,S"), Path.Combine(outside.Path, "secret"));
        Directory.CreateSymbolicLink(Path.Combine(Root, ".Linked"), outside.Path);
        var store = await fixture.OpenAsync(forWriting: true, Context, Token);
        Assert.Equal([FolderPath.Inbox], (await store.ListFoldersAsync(Token)).Select(f => f.Path));
        await Assert.ThrowsAsync<MailException>(() => store.OpenForWritingAsync(new FolderPath("Linked"), Token));
        await Assert.ThrowsAsync<MailException>(() => store.CreateFolderAsync(new FolderPath("Linked"), SpecialFolder.None, Token));
        await using var folder = await store.OpenAsync(FolderPath.Inbox, Token);
        await foreach (var message in folder.ReadAsync(await folder.ListAllAsync(new ListRequest()), Token))
            Assert.NotNull(message.Failure);
    }

    [Theory]
    [InlineData(MaildirLayout.MaildirPlusPlus)]
    [InlineData(MaildirLayout.Fs)]
    public async Task No_folder_name_leaves_the_tree(MaildirLayout layout)
    {
        using var parent = new TemporaryDirectory();
        var root = Path.Combine(parent.Path, "a", "mail");
        var store = await StoreRegistry.OpenTargetAsync(new MaildirEndpoint(root, layout), forWriting: true, Context, Token);
        foreach (var name in MessageStoreContract.FolderNames.Select(r => r.Data))
            await store.CreateFolderAsync(FolderPath.Parse(name), SpecialFolder.None, Token);
        Assert.Equal([Path.Combine(parent.Path, "a")], Directory.GetFileSystemEntries(parent.Path));
        Assert.Equal([root], Directory.GetFileSystemEntries(Path.Combine(parent.Path, "a")));
    }

    [Fact]
    public async Task A_mistyped_path_is_no_empty_mailbox()
    {
        await Assert.ThrowsAsync<MailException>(() => fixture.OpenAsync(forWriting: false, Context, Token));
        Directory.CreateDirectory(Root);
        await Assert.ThrowsAsync<MailException>(() => fixture.OpenAsync(forWriting: false, Context, Token));
    }

    private StoreContext Context => new(TimeProvider.System, notes.Add);

    private string UidListPath => Path.Combine(Root, "dovecot-uidlist");

    private async Task<IWritableFolder> OpenAsync(FolderPath? path = null)
    {
        var store = await fixture.OpenAsync(forWriting: true, Context, Token);
        await store.CreateFolderAsync(path ?? FolderPath.Inbox, SpecialFolder.None, Token);
        return await store.OpenForWritingAsync(path ?? FolderPath.Inbox, Token);
    }

    private void Deliver(string directory, string name, string text)
    {
        foreach (var each in new[] { "cur", "new", "tmp" })
            Directory.CreateDirectory(Path.Combine(Root, each));
        File.WriteAllText(Path.Combine(Root, directory, name), text);
    }
}
