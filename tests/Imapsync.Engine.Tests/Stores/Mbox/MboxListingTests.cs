using System.IO.Compression;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;

namespace Imapsync.Engine.Tests.Stores.Mbox;

/// <summary>Which folders are found in a directory of other programs' mbox files. Mail that is not read is reported.</summary>
public sealed class MboxListingTests
{
    private const string One = "From a@example.org Thu Jan  2 03:04:05 2020\nSubject: 1\n\na\n\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_directory_of_Thunderbird_is_read_and_written_where_its_folders_are()
    {
        using var place = new MboxPlace();
        Write(place, "Inbox", "Sent", "Archives.sbd/2023", "Inbox.sbd/Sub");
        foreach (var other in new[] { "Inbox.msf", "Sent.msf", "popstate.dat", "Archives.msf", "global.html" })
            await File.WriteAllTextAsync(Path.Combine(place.Path, other), "", Token);
        await File.WriteAllTextAsync(Path.Combine(place.Path, "filterlog.html"), "<html>", Token);
        await File.WriteAllTextAsync(Path.Combine(place.Path, "msgFilterRules.dat"), "version=9\n", Token);
        Assert.Equal(["Archives/2023", "INBOX", "INBOX/Sub", "Sent"], await CountAsync(place));
        Assert.Empty(place.Unread);

        var store = await place.OpenAsync();
        await store.CreateFolderAsync(FolderPath.Inbox, SpecialFolder.Inbox, Token);
        await store.CreateFolderAsync(FolderPath.Parse("INBOX/More"), SpecialFolder.None, Token);
        await using (var inbox = await store.OpenForWritingAsync(FolderPath.Inbox, Token))
            await inbox.AppendAllAsync(Letter.Number(1));
        Assert.False(File.Exists(Path.Combine(place.Path, "INBOX")));
        Assert.True(File.Exists(Path.Combine(place.Path, "Inbox.sbd/More")));
        Assert.Equal(2, (await store.GetStatusAsync(FolderPath.Inbox, Token)).Messages);
    }

    [Theory]
    [InlineData("INBOX", "Inbox", "inbox")]
    [InlineData("Inbox", "inbox")]
    [InlineData("C/B", "C.sbd/B")]
    [InlineData("Inbox.sbd/A", "INBOX.sbd/A")]
    public async Task Files_for_one_folder_are_one_folder_and_a_problem(params string[] files)
    {
        using var place = new MboxPlace();
        Write(place, files);
        Assert.Single(await CountAsync(place));
        Assert.Contains($"{files.Length - 1} {(files.Length > 2 ? "are" : "is")} not read", Assert.Single(place.Unread.Distinct()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Takeout.mbox", "Takeout")]
    [InlineData("INBOX.mbox/mbox", "INBOX")]
    [InlineData("A.mbox/mbox", "A")]
    [InlineData("Top/A.mbox/mbox", "Top/A")]
    [InlineData("plain/mbox", "plain/mbox")]
    [InlineData("a.mbox a", "a,a.mbox")]
    [InlineData("A.mbox/mbox A", "A,A.mbox")]
    [InlineData("Inbox Inbox.msf=", "INBOX")]
    [InlineData("A.mbox/mbox A.mbox/table_of_contents=", "A")]
    [InlineData("kept.dat", "kept.dat")]
    public async Task Names_of_exports_are_the_folders(string files, string folders)
    {
        using var place = new MboxPlace();
        Write(place, files.Split(' '));
        Assert.Equal(folders.Split(','), await CountAsync(place));
        Assert.Empty(place.Unread);
    }

    [Fact]
    public async Task A_folder_of_our_own_may_be_called_as_exports_are()
    {
        using var place = new MboxPlace();
        var store = await place.OpenAsync();
        foreach (var name in new[] { "a.mbox", "a", "b.MBOX", "x.msf" })
        {
            await store.CreateFolderAsync(new FolderPath(name), SpecialFolder.None, Token);
            await using var folder = await store.OpenForWritingAsync(new FolderPath(name), Token);
        }

        Assert.Equal(["a", "a.mbox", "b.MBOX", "x.msf"], (await store.ListFoldersAsync(Token)).Select(f => f.Path.ToString()).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(".Archive")]
    [InlineData("Box.lock")]
    [InlineData("mail.gz")]
    [InlineData("mail.bz2")]
    [InlineData("mail.zst")]
    [InlineData("1.emlx")]
    [InlineData("Some.mbox/Messages/1.emlx")]
    [InlineData("Maildir/")]
    [InlineData("link")]
    [InlineData("loop")]
    public async Task Mail_that_is_not_read_is_told_and_the_rest_is_read(string name)
    {
        using var place = new MboxPlace();
        Write(place, "Other");
        var path = Path.Combine(place.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        switch (name)
        {
            case "mail.gz":
                await using (var gzip = new GZipStream(File.Create(path), CompressionLevel.Fastest))
                    gzip.Write(MboxPlace.Octets(One));
                break;
            case "mail.bz2":
                await File.WriteAllTextAsync(path, "BZh91AY", Token);
                break;
            case "mail.zst":
                await File.WriteAllBytesAsync(path, [0x28, 0xB5, 0x2F, 0xFD, 0], Token);
                break;
            case "1.emlx" or "Some.mbox/Messages/1.emlx":
                await File.WriteAllTextAsync(path, "100\nSubject: x\n\n", Token);
                break;
            case "Maildir/":
                foreach (var d in new[] { "cur", "new", "tmp" })
                    Directory.CreateDirectory(Path.Combine(path, d));
                break;
            case "link":
                File.CreateSymbolicLink(path, "Other");
                break;
            case "loop":
                Directory.CreateSymbolicLink(path, ".");
                break;
            default:
                await File.WriteAllTextAsync(path, One, Token);
                break;
        }

        Assert.Equal(["Other"], await CountAsync(place));
        Assert.Contains(name.TrimEnd('/').Split('/')[0], Assert.Single(place.Unread.Distinct()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\u0001\u0001\u0001\u0001\nFrom: a@example.org\n\na\n\u0001\u0001\u0001\u0001\n", "MMDF")]
    [InlineData("*mbx*\r\n5f3b0a1200000003\r\n", "MBX")]
    [InlineData("BABYL OPTIONS: -*- rmail -*-\nVersion: 5\n", "Babyl")]
    [InlineData("\u00FF\u00FEF\0r\0o\0m\0 \0a\0", "UTF-16")]
    [InlineData("F\0r\0o\0m\0 \0a\0", "UTF-16")]
    [InlineData("\u00FE\u00FF\0F\0r\0o\0m\0 \0a", "UTF-16")]
    [InlineData("!BDN\u0001\u0002", ".pst", "old.pst")]
    [InlineData("\u00CF\u00AD\u0012\u00FE", ".dbx", "Inbox.dbx")]
    [InlineData("Date: Thu, 2 Jan 2020 03:04:05 +0000\nFrom: a@example.org\nSubject: x\n folded\n\na\n", "a single message", "dead.letter")]
    [InlineData("Received : from x\r\n\r\n", "a single message")]
    [InlineData("Title: a recipe\nFor: two\n\nflour\n", null)]
    [InlineData("From: a\nno header\n\n", null)]
    [InlineData("From: a\nno end\n", null)]
    [InlineData("\0\u0001\u0002", null)]
    public async Task Mail_in_another_form_is_told_and_other_files_are_not(string octets, string? told, string name = "other")
    {
        using var place = new MboxPlace();
        Write(place, "Other");
        await File.WriteAllBytesAsync(Path.Combine(place.Path, name), MboxPlace.Octets(octets), Token);
        Assert.Equal(["Other"], await CountAsync(place));
        if (told is null)
            Assert.Empty(place.Unread);
        else
            Assert.Contains(told, Assert.Single(place.Unread.Distinct()), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\u00EF\u00BB\u00BF", false)]
    [InlineData("a line in front\n", true)]
    [InlineData("a line in front\n\n", true)]
    public async Task What_stands_before_the_first_message_hides_no_mail(string before, bool isNoted)
    {
        using var place = new MboxPlace();
        await File.WriteAllBytesAsync(place.Mbox, MboxPlace.Octets(before + One + One), Token);
        var (_, letters) = await place.ReadAsync();
        Assert.Equal(2, letters.Count);
        Assert.Equal(["Box"], (await (await place.OpenAsync(forWriting: false)).ListFoldersAsync(Token)).Select(f => f.Path.ToString()));
        Assert.Equal(isNoted, place.Notes.Count > 0);
    }

    [Fact]
    public async Task A_source_without_any_mbox_fails_and_an_empty_target_does_not()
    {
        using var place = new MboxPlace();
        Assert.Equal(FailureKind.Gone, (await Assert.ThrowsAsync<MailException>(() => place.OpenAsync(forWriting: false))).Kind);
        Assert.Empty(await (await place.OpenAsync()).ListFoldersAsync(Token));
        await File.WriteAllTextAsync(Path.Combine(place.Path, "README"), "text", Token);
        await Assert.ThrowsAsync<MailException>(() => place.OpenAsync(forWriting: false));
    }

    private static void Write(MboxPlace place, params string[] files)
    {
        foreach (var file in files)
        {
            var path = Path.Combine(place.Path, file.TrimEnd('='));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, file.EndsWith('=') ? "" : One);
        }
    }

    /// <summary>Returns the folders that hold messages; asserts that each holds the one message written to it.</summary>
    private static async Task<List<string>> CountAsync(MboxPlace place)
    {
        var store = await place.OpenAsync(forWriting: false);
        var folders = (await store.ListFoldersAsync(Token)).Where(f => f.HoldsMessages).Select(f => f.Path).ToList();
        foreach (var folder in folders)
            Assert.Equal(1, (await store.GetStatusAsync(folder, Token)).Messages);
        return [.. folders.Select(f => f.ToString()).Order(StringComparer.Ordinal)];
    }
}
