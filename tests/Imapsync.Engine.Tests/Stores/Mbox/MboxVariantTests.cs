using Imapsync.Engine.Mail;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Mbox;

public sealed class MboxVariantTests
{
    private const string Mark = "From a@example.org Thu Jan  2 03:04:05 2020\n";
    private const string Header = "Subject: x\n\n";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("mboxrd", Mark + Header + ">From x\n>>From y\n\n" + Mark + "Subject: 2\n\nb\n\n", "", "Subject: x\r\n\r\nFrom x\r\n>From y\r\n", "Subject: 2\r\n\r\nb\r\n")]
    [InlineData("mboxo", Mark + Header + ">From x\n>>From y\n\n" + Mark + "Subject: 2\n\nFrom here on\n\n", "mboxo", "Subject: x\r\n\r\nFrom x\r\n>>From y\r\n", "Subject: 2\r\n\r\nFrom here on\r\n")]
    [InlineData("mboxcl2", Mark + "Content-Length: 55\n" + Header + "one\n\nFrom b@example.org Thu Jan  2 03:04:05 2020\n>From\n\n" + Mark + "Content-Length: 2\n" + Header + "b\n\n", "mboxcl2", "Subject: x\r\n\r\none\r\n\r\nFrom b@example.org Thu Jan  2 03:04:05 2020\r\n>From\r\n", "Subject: x\r\n\r\nb\r\n")]
    [InlineData("mboxcl", Mark + "Content-Length: 15\n" + Header + ">From x\n>>From\n\n" + Mark + Header + "b\n\n", "mboxcl", "Subject: x\r\n\r\nFrom x\r\n>>From\r\n", "Subject: x\r\n\r\nb\r\n")]
    [InlineData("wrong Content-Length", Mark + "Content-Length: 4\n" + Header + "one two\n\n" + Mark + "Content-Length: 99999999999999999999\n" + Header + "b\n\n", "", "Subject: x\r\n\r\none two\r\n", "Subject: x\r\n\r\nb\r\n")]
    [InlineData("no last empty line", Mark + Header + "a\n" + Mark + Header + "b\n", "no empty line", "Subject: x\r\n\r\na\r\n", "Subject: x\r\n\r\nb\r\n")]
    [InlineData("no last line end", Mark + Header + "a\n\n" + Mark + Header + "b", "no empty line", "Subject: x\r\n\r\na\r\n", "Subject: x\r\n\r\nb")]
    [InlineData("pseudo message", Mark + "Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\nX-IMAP: 1 2\n\ntext\n\n" + Mark + Header + "a\n\n" + Mark + Header + "b\n\n", "pseudo", "Subject: x\r\n\r\na\r\n", "Subject: x\r\n\r\nb\r\n")]
    [InlineData("other programs' fields", Mark + "X-IMAPbase: 1 2\n folded\nX-UID: 1\nSubject: x\nStatus: O\n\na\n\n" + Mark + Header + "b\n\n", "", "Subject: x\r\n\r\na\r\n", "Subject: x\r\n\r\nb\r\n")]
    [InlineData("postmarks of many makes", "From a Thu Jan  2 03:04:05 CET 2020\n" + Header + "a\n\nFrom - Thu Jan 2 3:04:05 2020 +0100\n" + Header + "b\n\n", "", "Subject: x\r\n\r\na\r\n", "Subject: x\r\n\r\nb\r\n")]
    [InlineData("dateless postmarks", "From \nDate: Thu, 2 Jan 2020 03:04:05 +0000 (GMT)\n\na\n\nFrom \n" + Header + "b\n\n", "without a date", "Date: Thu, 2 Jan 2020 03:04:05 +0000 (GMT)\r\n\r\na\r\n", "Subject: x\r\n\r\nb\r\n")]
    [InlineData("text like a postmark", Mark + Header + "From time to time\n\n" + Mark + Header + "b\n\n", "mboxo", "Subject: x\r\n\r\nFrom time to time\r\n", "Subject: x\r\n\r\nb\r\n")]
    public async Task Each_kind_of_mbox_is_read(string name, string file, string note, string first, string second)
    {
        foreach (var isCrLf in new[] { false, true })
        {
            if (isCrLf && name.StartsWith("mboxcl", StringComparison.Ordinal))
                continue;
            using var place = new MboxPlace();
            await File.WriteAllTextAsync(place.Mbox, isCrLf ? file.Replace("\n", "\r\n", StringComparison.Ordinal) : file, Token);
            var (status, letters) = await place.ReadAsync();
            Assert.True(status.UidValidity.IsNone);
            Assert.Equal(2, status.Messages);
            Assert.Equal([first, second], letters.Select(l => System.Text.Encoding.Latin1.GetString(l.Octets)));
            Assert.Equal(note.Length > 0 || isCrLf, place.Notes.Count > 0);
            Assert.All(place.Notes, n => Assert.Contains(isCrLf ? "CRLF" : note, n, StringComparison.Ordinal));

            // The first write creates an index and must leave the octets of the existing messages unchanged.
            await using (var folder = await place.OpenFolderAsync())
                await folder.AppendAllAsync(Letter.Number(1));
            Assert.Equal([first, second], (await place.ReadAsync()).Letters.Take(2).Select(l => System.Text.Encoding.Latin1.GetString(l.Octets)));
            await using (var folder = await place.OpenFolderAsync())
                Assert.Equal(2, await folder.SetFlagsAsync([new FlagChange(new Uid(1), FlagSet.Parse(["\\Draft"]), FlagSet.Empty), new FlagChange(new Uid(3), FlagSet.Parse(["\\Draft"]), FlagSet.Empty)], Token));
            var last = await place.ReadAsync();
            Assert.False(last.Status.UidValidity.IsNone);
            Assert.Equal([first, second], last.Letters.Take(2).Select(l => System.Text.Encoding.Latin1.GetString(l.Octets)));
            Assert.Equal(AwkwardMessages.Ordinary(1), last.Letters[2].Octets);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(512)]
    [InlineData(4097)]
    [InlineData(300_000)]
    public async Task NUL_octets_that_a_crash_left_hide_no_message_and_are_told(int count)
    {
        string[] texts = ["a\n", "b\nFrom time to time\n", "c \0 \0From x\n"];
        for (var at = 0; at <= texts.Length; at++)
        {
            using var place = new MboxPlace();
            var pieces = texts.Select(t => Mark + Header + t + "\n").ToList();
            pieces.Insert(at, new string('\0', count));
            await File.WriteAllTextAsync(place.Mbox, string.Concat(pieces), Token);
            var (_, letters) = await place.ReadAsync();
            Assert.Equal(
                texts.Select(t => (Header + t).Replace("\n", "\r\n", StringComparison.Ordinal)),
                letters.Select(l => System.Text.Encoding.Latin1.GetString(l.Octets)));
            Assert.Contains($"the {count} NUL octets at octet {pieces.Take(at).Sum(p => p.Length)}", Assert.Single(place.Unread), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("From\ta@example.org Thu Jan  2 03:04:05 2020\n" + Header + "a\n\n", true)]
    [InlineData(Header + "a\n\n", true)]
    [InlineData("now on\n\n", false)]
    public async Task A_message_without_a_postmark_before_the_first_one_is_told(string before, bool isTold)
    {
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, "\n" + before + Mark + Header + "b\n\n", Token);
        Assert.Single((await place.ReadAsync()).Letters);
        Assert.Equal(isTold ? 1 : 0, place.Unread.Count);
    }

    [Fact]
    public async Task Flags_and_dates_of_foreign_files_are_read()
    {
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, "From a Thu Jan  2 03:04:05 +0200 2020\nSubject: x\nStatus: RO\nX-Status: AF\nX-Keywords: Work $Label1\n\n\n", Token);
        var letter = Assert.Single((await place.ReadAsync()).Letters);
        Assert.Equal(FlagSet.Parse(["\\Seen", "\\Answered", "\\Flagged", "Work", "$Label1"]), letter.Flags);
        Assert.Equal(new DateTimeOffset(2020, 1, 2, 3, 4, 5, TimeSpan.FromHours(2)), letter.Date);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n")]
    [InlineData("\r\n\r\n")]
    public async Task A_file_without_messages_is_an_empty_folder(string file)
    {
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, file, Token);
        Assert.Empty((await place.ReadAsync()).Letters);
        await place.AppendAsync(AwkwardMessages.Ordinary(1));
        Assert.Single((await place.ReadAsync()).Letters);
    }

    [Fact]
    public async Task Random_files_never_do_harm()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        string[] tokens = ["From ", Mark, "\n", "\r\n", "Content-Length: 5\n", "Content-Length: -1\n", ">", "Status: RO\n", "text\n", "\0", "From x Thu Jan 99 99:99:99 2020\n", "X-IMAP: 1\n", new('x', 2000)];
        for (var round = 0; round < 1_000; round++)
        {
            using var place = new MboxPlace();
            var file = MboxPlace.Octets(string.Concat(Enumerable.Range(0, random.Next(15)).Select(_ => tokens[random.Next(tokens.Length)])));
            await File.WriteAllBytesAsync(place.Mbox, file, Token);
            // Add a valid mbox: a source without any mbox is refused, and not every random file looks like an mbox.
            await File.WriteAllTextAsync(Path.Combine(place.Path, "Other"), Mark + Header, Token);
            try
            {
                var (_, read) = await place.ReadAsync();
                Assert.Equal(read.Select(l => l.Octets), (await place.SettleAsync()).Letters.Values.Select(l => l.Octets));
                Assert.Equal(file, await File.ReadAllBytesAsync(place.Mbox, Token));
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                Assert.Fail($"seed {seed}, round {round}: {error}");
            }
        }
    }
}
