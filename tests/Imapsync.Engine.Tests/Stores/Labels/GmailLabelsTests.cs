using Imapsync.Engine.Stores.Labels;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.Labels;

public sealed class GmailLabelsTests
{
    [Theory]
    [InlineData("Work", "Work")]
    [InlineData("Lists/dev", "Lists/dev")]
    [InlineData("Muy importante", "Muy_importante")]
    [InlineData("snake_case", "snake=5Fcase")]
    [InlineData("Entwürfe", "Entw=C3=BCrfe")]
    [InlineData("50% (*) \"a\" {1} \\ ]", "50=25_=28=2A=29_=22a=22_=7B1}_=5C_=5D")]
    [InlineData("$Important", "=24Important")]
    [InlineData("a$", "a$")]
    [InlineData("junk", "=6Aunk")]
    [InlineData("\\Inbox", "$Inbox")]
    [InlineData("\\Important", "$Important")]
    [InlineData("\\Sent", "$Sent")]
    [InlineData("\\Muted", "$Muted")]
    public void A_label_is_written_as_a_keyword_and_read_back(string label, string keyword)
    {
        var flags = GmailLabels.ToFlags([label]);
        Assert.Equal([keyword], flags.Keywords);
        Assert.Equal([label], GmailLabels.Split(flags).Labels);
    }

    [Theory]
    [InlineData("\\Starred", MessageFlags.Flagged)]
    [InlineData("\\Draft", MessageFlags.Draft)]
    [InlineData("\\Trash", MessageFlags.None)]
    [InlineData("\\Spam", MessageFlags.None)]
    [InlineData("\\SomethingNew", MessageFlags.None)]
    public void What_a_flag_or_the_folder_says_is_no_keyword(string label, MessageFlags flags) =>
        Assert.Equal(FlagSet.Create(flags), GmailLabels.ToFlags([label]));

    [Theory]
    [InlineData("$Forwarded")]
    [InlineData("$MDNSent")]
    [InlineData("NonJunk")]
    [InlineData("Junk")]
    [InlineData("a=")]
    [InlineData("a=4")]
    [InlineData("a=zz")]
    [InlineData("a=41")]
    [InlineData("=FF")]
    [InlineData("é")]
    public void A_keyword_that_no_label_is_written_as_stays_one(string keyword)
    {
        var (flags, labels) = GmailLabels.Split(FlagSet.Create(MessageFlags.Seen, [keyword]));
        Assert.Empty(labels);
        Assert.Equal(FlagSet.Create(MessageFlags.Seen, [keyword]), flags);
    }

    [Fact]
    public void Any_label_becomes_an_atom_and_comes_back()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var n = 0; n < 20_000; n++)
        {
            var label = string.Concat(Enumerable.Range(0, random.Next(1, 12)).Select(_ => char.ConvertFromUtf32(random.Next(4) switch
            {
                0 => random.Next(' ', 0x7f),
                1 => random.Next(0x80, 0x800),
                2 => random.Next(0x10000, 0x10ffff),
                _ => "_=$%* jJ"[random.Next(8)],
            })));
            if (label[0] == '\\')
                continue;
            var keyword = Assert.Single(GmailLabels.ToFlags([label]).Keywords);
            Assert.True(keyword.All(c => c is > ' ' and <= '~' && !"(){%*\"\\]".Contains(c)), $"seed {seed}: {label} is written {keyword}");
            Assert.True(GmailLabels.Split(FlagSet.Create(MessageFlags.None, [keyword])).Labels is [var back] && back == label, $"seed {seed}: {label} is written {keyword}");
        }
    }
}
