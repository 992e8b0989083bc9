using System.Text;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Mbox;

/// <summary>
/// An mbox with many forms of "From " lines. Every message is read unchanged, or the report says that message beginnings are uncertain.
/// </summary>
public sealed class PostmarkFormTests
{
    private static readonly string[] Forms =
    [
        "From - Thu Jan  2 03:04:05 2020", "From - ", "From -", "From ", "From a@example.org Thu Jan  2 03:04:05 20", "From a@example.org Fri, Jul 01 10:00:00 2022",
        "From a@example.org Fri, 01 Jul 2022 10:00:00 +0200", "From a@example.org 2022-07-01T10:00:00Z", "From a@example.org Vie Jul  1 10:00:00 2022",
        "From a@example.org Fri Jul  1 24:00:00 2022", "From a@example.org Fri Jul  1 23:59:60 2022", "From a@example.org Sun Feb 31 10:00:00 2022",
        "From a@example.org Jul  1 10:00:00 2022", "From a@example.org 07/01/2022 10:00", "From MAILER-DAEMON", "From a@example.org Fri Jul  1 2022 10:00:00",
        "From ???@??? Fri Jul 01 10:00:00 2022", "From 1844674407370955@xxx Fri Jul 01 10:00:00 +0000 2022", "From a b c@example.org Fri Jul  1 10:00:00 2022",
    ];

    private static readonly string[] Lines =
    [
        "text", "", "", ">From quoted", "From memory I would say", "From here on", "From", "Fromage", "Note: this is no header", " indented", "from below",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_form_begins_a_message_behind_an_empty_line_whatever_stands_around_it()
    {
        foreach (var first in Forms)
        {
            foreach (var second in Forms)
            {
                var letters = await ReadAsync($"{first}\nSubject: 1\n\na\n\n{second}\nSubject: 2\n\nb\n\n{first}\nSubject: 3\n\n\n");
                Assert.True(letters.Count == 3, $"{first} / {second}: {letters.Count}");
                Assert.Equal(["Subject: 1\r\n\r\na\r\n", "Subject: 2\r\n\r\nb\r\n", "Subject: 3\r\n\r\n"], letters);
            }
        }
    }

    [Fact]
    public async Task A_dated_postmark_without_an_empty_line_counts_among_dateless_ones() =>
        Assert.Equal(2, (await ReadAsync("From \nSubject: 1\n\na\nFrom - Thu Jan  2 03:04:05 2020\nSubject: 2\n\nb\n\n")).Count);

    [Fact]
    public async Task A_content_length_may_land_on_a_postmark_of_any_form() =>
        Assert.Equal(
            ["Subject: 1\r\n\r\na\r\n\r\nFrom x\r\nTo: text\r\n", "Subject: 2\r\n\r\nb\r\n"],
            await ReadAsync("From a Thu Jan  2 03:04:05 2020\nContent-Length: 19\nSubject: 1\n\na\n\nFrom x\nTo: text\n\nFrom MAILER-DAEMON\nSubject: 2\n\nb\n\n"));

    [Theory]
    [InlineData("From memory I would say\nNote: split\n", "\n", 2)]
    [InlineData("From - 10:00\nNote: not split\n", "", 1)]
    public async Task What_is_doubtful_is_told_with_its_place(string line, string before, int count)
    {
        using var place = new MboxPlace();
        var start = "From a Thu Jan  2 03:04:05 2020\nSubject: 1\n\nhello\n" + before;
        await File.WriteAllTextAsync(place.Mbox, start + line + "\n", Token);
        Assert.Equal(count, (await place.ReadAsync()).Letters.Count);
        Assert.Contains(place.Unread, n => n.Contains($"octet {start.Length}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_was_planted_is_read_or_told()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 300; round++)
        {
            var lineEnd = random.Next(3) == 0 ? "\r\n" : "\n";
            var file = new StringBuilder();
            var planted = new List<string>();
            for (var n = random.Next(1, 8); n > 0; n--)
            {
                var body = Enumerable.Range(0, random.Next(6)).Select(_ => Lines[random.Next(Lines.Length)]).Append("end").ToList();
                file.Append(Forms[random.Next(Forms.Length)]).Append(lineEnd);
                file.Append($"Subject: {n}").Append(lineEnd).Append(lineEnd).AppendJoin(lineEnd, body).Append(lineEnd).Append(lineEnd);
                planted.Add($"Subject: {n}\r\n\r\n{string.Join("\r\n", body)}\r\n".Replace("\n>From ", "\nFrom ", StringComparison.Ordinal));
            }

            using var place = new MboxPlace();
            await File.WriteAllTextAsync(place.Mbox, file.ToString(), Token);
            var letters = (await place.ReadAsync()).Letters.Select(l => Encoding.Latin1.GetString(l.Octets)).ToList();
            var isTold = place.Unread.Count > 0;
            Assert.True(isTold || letters.SequenceEqual(planted), $"seed {seed}, round {round}: {letters.Count} of {planted.Count}\n{file}");
        }
    }

    [Fact]
    public async Task A_message_that_the_length_of_another_covers_is_told()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 200; round++)
        {
            var lineEnd = random.Next(3) == 0 ? "\r\n" : "\n";
            var doAllHaveLengths = random.Next(2) == 0;
            var count = random.Next(3, 8);
            var wrong = random.Next(0, count - 1);
            var covers = random.Next(1, count - wrong);
            var messages = Enumerable.Range(0, count).Select(n => Message(n, doAllHaveLengths)).ToList();
            // The sender of this message wrote a Content-Length that also covers the following messages.
            var rest = messages[(wrong + 1)..(wrong + 1 + covers)];
            messages[wrong] = Message(wrong, hasLength: true, rest.Sum(m => m.Length));
            using var place = new MboxPlace();
            await File.WriteAllTextAsync(place.Mbox, string.Concat(messages), Token);

            var letters = (await place.ReadAsync()).Letters;

            var offset = messages[..(wrong + 1)].Sum(m => m.Length);
            Assert.True(
                letters.Count == count || place.Unread.Exists(u => u.Contains($"octet {offset},", StringComparison.Ordinal)),
                $"seed {seed}, round {round}: {letters.Count} of {count}; {string.Join("; ", place.Unread)}\n{string.Concat(messages)}");

            string Message(int n, bool hasLength, int more = 0)
            {
                var body = string.Concat(Enumerable.Range(0, random.Next(1, 4)).Select(i => $"line {i}{lineEnd}"));
                var length = hasLength ? $"Content-Length: {body.Length + more}{lineEnd}" : "";
                return $"From a@example.org Thu Jan  2 03:04:05 2020{lineEnd}Subject: {n}{lineEnd}{length}{lineEnd}{body}{lineEnd}";
            }
        }
    }

    [Fact]
    public async Task A_text_that_quotes_an_mbox_is_one_message_where_all_lengths_are_true()
    {
        var quoted = "From x@example.org Thu Jan  2 03:04:05 2020\nSubject: quoted\n\nold\n";
        var file = string.Concat(Enumerable.Range(0, 3).Select(n =>
        {
            var body = n == 1 ? "see:\n\n" + quoted : "text\n";
            return $"From a@example.org Thu Jan  2 03:04:05 2020\nSubject: {n}\nContent-Length: {body.Length}\n\n{body}\n";
        }));
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, file, Token);

        Assert.Equal(3, (await place.ReadAsync()).Letters.Count);
        Assert.Empty(place.Unread);
    }

    private static async Task<List<string>> ReadAsync(string file)
    {
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, file, Token);
        return [.. (await place.ReadAsync()).Letters.Select(l => Encoding.Latin1.GetString(l.Octets))];
    }
}
