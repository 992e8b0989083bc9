using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Mbox;

public sealed class MboxRoundTripTests
{
    private static readonly Dictionary<string, string> Own = new()
    {
        ["status field"] = "Status: RO\r\nSubject: x\r\n\r\ntext\r\n",
        ["escaped status field"] = "X-Imapsync-Status: RO\r\nx-imapsync-X-IMAPSYNC-status : O\r\n\r\ntext\r\n",
        ["status field, folded"] = "X-Keywords: a\r\n b\r\n\tc\r\nStatus:\r\n RO\r\n\r\ntext\r\n",
        ["status field last, no empty line"] = "Subject: x\r\nStatus: RO\r\n",
        ["status field last, no line end"] = "Subject: x\r\nStatus: RO",
        ["status field in the text"] = "Subject: x\r\n\r\nStatus: RO\r\nX-UID: 5\r\n",
        ["half a name"] = "Stat",
        ["escape alone"] = "X-Imapsync-",
        ["escape and line end"] = "X-Imapsync-\r\n\r\n",
        ["escape before From"] = "X-Imapsync-From x\r\nX-Imapsync->From y\r\n\r\n",
        ["quoted status field"] = ">Status: RO\r\n>>X-UID: 1\r\n\r\n",
        ["only quotes"] = ">>>>\r\n\r\n>\r\n>>",
        ["a long run of quotes"] = "a: b\r\n\r\n" + new string('>', 1000) + "From x\r\n",
        ["a long run of escapes"] = string.Concat(Enumerable.Repeat("x-Imapsync-", 100)) + "X-UID: 9\r\n\r\n",
        ["From at the very end"] = "a: b\r\n\r\nFrom ",
        ["quoted From at the very end"] = "a: b\r\n\r\n>From ",
        ["text without header"] = "just text\r\nStatus: RO\r\n\r\nmore text\r\n",
        ["lone CR"] = "\r",
        ["CR CR"] = "\r\r",
        ["CR CR LF"] = "\r\r\n",
        ["LF"] = "\n",
        ["LF CR LF"] = "\n\r\n",
        ["empty line, then CR"] = "a: b\r\n\r",
        ["bare LF header with status"] = "Status: RO\nSubject: x\n\ntext\n",
        ["continuation first"] = " folded\r\nStatus: RO\r\n more\r\n\r\n",
        ["postmark with form"] = "From a@b Thu Jan  1 00:00:00 1970 remote from imapsync-xn\r\n\r\ntext\r\n",
    };

    public static TheoryData<string> Names => [.. Own.Keys, .. AwkwardMessages.All.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void A_message_survives_encoding_and_decoding_in_pieces_of_any_size(string name)
    {
        foreach (var flags in new[] { "", "\\Seen", "\\Seen \\Draft Work" })
        {
            foreach (var size in new[] { 1, 2, 7, 31, 32, 33, 4096, int.MaxValue })
                AssertSurvives(MessageOf(name), FlagSet.Parse(flags.Split(' ', StringSplitOptions.RemoveEmptyEntries)), size, name);
        }
    }

    [Fact]
    public void Random_messages_survive_encoding_and_decoding()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        string[] tokens = ["From ", ">", "\r", "\n", "\r\n", "Status", "X-UID", ":", "X-Imapsync-", "x-IMAPSYNC-", " ", "\t", "text", "\0", "a: b\r\n", "\r\n\r\n", "From a@b Thu Jan  1 00:00:00 1970\r\n"];
        for (var round = 0; round < 20_000; round++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => tokens[random.Next(tokens.Length)]));
            var flags = random.Next(2) == 0 ? FlagSet.Empty : FlagSet.Parse(["\\Seen", "Work"]);
            AssertSurvives(MboxPlace.Octets(text), flags, random.Next(1, 50), $"seed {seed}, round {round}: {text.Replace("\r", "\\r").Replace("\n", "\\n")}");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_message_is_read_exactly_without_its_index(string name)
    {
        using var place = new MboxPlace();
        await using (var folder = await place.OpenFolderAsync())
        {
            await folder.AppendAllAsync(
                Letter.Of(MessageOf(name)), Letter.Of(MessageOf(name)) with { Flags = FlagSet.Parse(["\\Seen", "\\Flagged", "Work"]) }, Letter.Number(3));
        }

        File.Delete(place.Index);
        var (status, letters) = await place.ReadAsync();
        Assert.True(status.UidValidity.IsNone);
        Assert.Equal([MessageOf(name), MessageOf(name), AwkwardMessages.Ordinary(3)], letters.Select(l => l.Octets));
        Assert.Equal([FlagSet.Empty, FlagSet.Parse(["\\Seen", "\\Flagged", "Work"]), FlagSet.Empty], letters.Select(l => l.Flags));
        Assert.All(letters, l => Assert.Equal(Letter.SomeDate, l.Date));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Changing_flags_changes_no_octet(string name)
    {
        using var place = new MboxPlace();
        var uids = await place.AppendAsync(MessageOf(name), AwkwardMessages.Ordinary(2));
        await using (var folder = await place.OpenFolderAsync())
            await folder.SetFlagsAsync([new Mail.FlagChange(uids[0], FlagSet.Parse(["\\Answered", "$Label1"]), FlagSet.Empty)], TestContext.Current.CancellationToken);
        var (status, letters) = await place.ReadAsync();
        Assert.False(status.UidValidity.IsNone);
        Assert.Equal([MessageOf(name), AwkwardMessages.Ordinary(2)], letters.Select(l => l.Octets));
        Assert.Equal(FlagSet.Parse(["\\Answered", "$Label1"]), letters[0].Flags);
    }

    [Fact]
    public async Task The_file_is_what_mbox_programs_expect()
    {
        using var place = new MboxPlace();
        await using (var folder = await place.OpenFolderAsync())
        {
            await folder.AppendAllAsync(
                Letter.Of(MboxPlace.Octets("Return-Path: <bob@example.org>\r\nFrom: Ann <ann@example.org>\r\n\r\nFrom here\r\n>From there\r\n")) with { Flags = FlagSet.Parse(["\\Seen", "\\Flagged", "Work"]) },
                Letter.Of(MboxPlace.Octets("From: Ann <ann@example.org>\r\n\r\nno end")));
        }

        Assert.Equal(
            "From bob@example.org Sun Mar 10 12:34:56 2019\nReturn-Path: <bob@example.org>\nFrom: Ann <ann@example.org>\n"
            + "Status: RO\nX-Status: F\nX-Keywords: Work\n\n>From here\n>>From there\n\n"
            + "From ann@example.org Sun Mar 10 12:34:56 2019 remote from imapsync-n\nFrom: Ann <ann@example.org>\n\nno end\n\n",
            await File.ReadAllTextAsync(place.Mbox, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_zone_of_a_date_comes_back()
    {
        using var place = new MboxPlace();
        var date = new DateTimeOffset(2001, 2, 3, 4, 5, 6, TimeSpan.FromMinutes(-210));
        await using (var folder = await place.OpenFolderAsync())
            await folder.AppendAllAsync(Letter.Number(1) with { Date = date });
        Assert.True(date.EqualsExact(Assert.Single((await place.ReadAsync()).Letters).Date));
    }

    private static byte[] MessageOf(string name) => Own.TryGetValue(name, out var text) ? MboxPlace.Octets(text) : AwkwardMessages.All[name];

    private static void AssertSurvives(byte[] message, FlagSet flags, int size, string name)
    {
        using var disk = new ByteBuffer();
        var encoder = new MboxEncoder(disk, FlagFields.Format(flags));
        foreach (var piece in message.Chunk(Math.Min(size, message.Length + 1)))
            encoder.Transform(piece);
        encoder.Finish();
        var lines = disk.Written.ToArray();
        Assert.True(lines[^1] == '\n' && (lines.Length == 1 || lines[^2] == '\n'), name);
        Assert.False(("\n" + System.Text.Encoding.Latin1.GetString(lines)).Contains("\nFrom ", StringComparison.Ordinal), name);

        using var back = new ByteBuffer();
        var decoder = new MboxDecoder(back, encoder.Form);
        foreach (var piece in lines[..^1].Chunk(Math.Min(size, lines.Length)))
            decoder.Transform(piece);
        decoder.Finish();
        Assert.True(back.Written.Span.SequenceEqual(message), $"{name}, pieces of {size}, flags '{flags}'");
    }
}
