using System.Globalization;
using System.Text;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Mbox;

/// <summary>Dates in "From " lines of all formats: each is parsed as written, or ignored in favour of the message's Date field.</summary>
public sealed class PostmarkDateTests
{
    private static readonly string[] Senders = ["a@example.org", "-", "MAILER-DAEMON", "may@example.org", "Mon", "a b c@example.org", "???@???", "2020"];

    /// <summary>The formats in which programs write a time, and whether each drops the seconds.</summary>
    private static readonly (string Name, Func<DateTimeOffset, string> Write, bool DropsSeconds)[] Makes =
    [
        ("asctime", d => Text(d, "ddd MMM d HH:mm:ss yyyy"), false),
        ("two digits", d => Text(d, "ddd MMM d HH:mm:ss yy"), false),
        ("no seconds", d => Text(d, "ddd MMM d HH:mm yyyy"), true),
        ("no weekday", d => Text(d, "MMM d HH:mm:ss yyyy"), false),
        ("comma", d => Text(d, "ddd, MMM dd HH:mm:ss yyyy"), false),
        ("year first", d => Text(d, "ddd MMM d yyyy HH:mm:ss"), false),
        ("RFC 822", d => Text(d, "ddd, dd MMM yy HH:mm:ss") + " GMT", false),
        ("RFC 5322", d => Text(d.ToOffset(TimeSpan.FromHours(5.5)), "ddd, dd MMM yyyy HH:mm:ss") + " +0530", false),
        ("offset before the year", d => Text(d.ToOffset(TimeSpan.FromHours(-3)), "ddd MMM d HH:mm:ss") + d.ToOffset(TimeSpan.FromHours(-3)).ToString(" '-0300' yyyy", CultureInfo.InvariantCulture), false),
        ("zone before the year", d => Text(d.ToOffset(TimeSpan.FromHours(-4)), "ddd MMM d HH:mm:ss") + d.ToOffset(TimeSpan.FromHours(-4)).ToString(" 'EDT' yyyy", CultureInfo.InvariantCulture), false),
        ("zone after the year", d => Text(d.ToOffset(TimeSpan.FromHours(2)), "ddd MMM d HH:mm:ss yyyy") + " CEST", false),
        ("ISO", d => Text(d, "yyyy-MM-dd'T'HH:mm:ss'Z'"), false),
        ("ISO with offset", d => Text(d.ToOffset(TimeSpan.FromHours(1)), "yyyy-MM-dd'T'HH:mm:ss'+01:00'"), false),
        ("ISO with a blank", d => Text(d, "yyyy-MM-dd HH:mm:ss"), false),
        ("dashes", d => Text(d, "dd-MMM-yyyy HH:mm:ss"), false),
        ("whole names", d => Text(d, "dddd, d MMMM yyyy HH:mm:ss"), false),
        ("half days", d => Text(d, "ddd MMM d hh:mm:ss tt yyyy"), false),
        ("UUCP", d => Text(d, "ddd MMM d HH:mm:ss yyyy") + " remote from May", false),
        ("another weekday", d => "Vie " + Text(d, "MMM d HH:mm:ss yyyy"), false),
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void A_date_of_every_make_is_read()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 4000; round++)
        {
            var date = DateTimeOffset.FromUnixTimeSeconds(random.NextInt64(0, 2_500_000_000));
            var make = Makes[random.Next(Makes.Length)];
            var line = $"From {Senders[random.Next(Senders.Length)]} {make.Write(date)}";
            var read = PostmarkDate.Read(Encoding.UTF8.GetBytes(line));
            var expected = make.DropsSeconds ? date.AddSeconds(-date.Second) : date;
            Assert.True(read is { IsSure: true } sure && sure.Date == expected, $"seed {seed}, {make.Name}: {line} read as {read}");
        }
    }

    [Fact]
    public void Where_both_readers_read_one_line_they_agree()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 2000; round++)
        {
            var line = Encoding.UTF8.GetBytes(Encoding.ASCII.GetString(Postmark.Format("a@example.org", DateTimeOffset.FromUnixTimeSeconds(random.NextInt64(0, 4_000_000_000)))).TrimEnd('\n'));
            Assert.True(Postmark.TryParse(line, out var postmark));
            Assert.Equal(postmark.Date, PostmarkDate.Read(line)!.Value.Date);
        }
    }

    [Theory]
    [InlineData("Fri Jul  1 24:00:00 2022", "2022-07-02T00:00:00Z")]
    [InlineData("Fri Jul  1 23:59:60 2022", "2022-07-02T00:00:00Z")]
    [InlineData("Thu Feb 29 10:00:00 2024", "2024-02-29T10:00:00Z")]
    [InlineData("Fri Jul  1 10:00:00 99", "1999-07-01T10:00:00Z")]
    [InlineData("Fri Jul  1 10:00:00 100", "2000-07-01T10:00:00Z")]
    public void Odd_ones_mean_what_they_say(string text, string date) =>
        Assert.Equal(DateTimeOffset.Parse(date, CultureInfo.InvariantCulture), PostmarkDate.Read(Encoding.ASCII.GetBytes("From a@b " + text))!.Value.Date);

    [Theory]
    [InlineData("")]
    [InlineData("07/01/2022 10:00")]
    [InlineData("Sun Feb 31 10:00:00 2022")]
    [InlineData("Vie Jul 1 2022")]
    [InlineData("ven. juil. 1 10:00:00 2022")]
    [InlineData("Fri Jul  1 25:00:00 2022")]
    [InlineData("Fri Jul Aug 1 10:00:00 2022")]
    [InlineData("Fri Jul  1 10:00:00 2022 2023")]
    [InlineData("Fri Jul  1 10:00:00 0000")]
    public async Task What_says_nothing_leaves_it_to_the_message(string text)
    {
        Assert.Null(PostmarkDate.Read(Encoding.ASCII.GetBytes("From a@b " + text)));
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, $"From a@b {text}\nSubject: x\nDate: Sat, 5 Mar 2011 12:00:00 +0100\n\nx\n\n", Token);
        Assert.Equal(new DateTimeOffset(2011, 3, 5, 11, 0, 0, TimeSpan.Zero), Assert.Single((await place.ReadAsync()).Letters).Date);
    }

    [Fact]
    public async Task A_zone_that_nobody_knows_counts_less_than_the_messages_own_date()
    {
        using var place = new MboxPlace();
        await File.WriteAllTextAsync(place.Mbox, "From a@b Sat Mar  5 10:00:00 XYZ 2011\nSubject: x\nDate: Sat, 5 Mar 2011 12:00:00 +0100\n\nx\n\nFrom a@b Sat Mar  5 10:00:00 XYZ 2011\nSubject: y\n\nx\n\n", Token);
        Assert.Equal(
            [new DateTimeOffset(2011, 3, 5, 11, 0, 0, TimeSpan.Zero), new DateTimeOffset(2011, 3, 5, 10, 0, 0, TimeSpan.Zero)],
            (await place.ReadAsync()).Letters.Select(l => l.Date));
    }

    [Fact]
    public void No_line_at_all_makes_it_fail()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        string[] words = ["From", "-", "+", ":", "1:2", "99:99", "Jul", "Fri", "2022", "31", "0", "+9999", "-0000", "Z", "2022-13-45", "2022-01-01T", "AM", "PM", "12:00", "0:00", "1-Jul-22", "--", "999", "é", "EST", "(CET)"];
        for (var round = 0; round < 20_000; round++)
            _ = PostmarkDate.Read(Encoding.UTF8.GetBytes("From " + string.Join(' ', random.GetItems(words, random.Next(9)))));
    }

    private static string Text(DateTimeOffset date, string format) => date.ToString(format, CultureInfo.InvariantCulture);
}
