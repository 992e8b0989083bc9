using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Matching;
using Imapsync.Tests.Support;
using MimeKit.Utils;

namespace Imapsync.Engine.Tests.Matching;

public sealed class HeaderMatchTests
{
    static HeaderMatchTests() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    [Theory]
    [InlineData("subject", "*invoice*", "Subject: Your INVOICE of May\r\n", true)]
    [InlineData("subject", "invoice", "Subject: Your invoice\r\n", false)]
    [InlineData("subject", "your invoice of may", "Subject: Your\r\n invoice\r\n\tof   May\r\n", true)]
    [InlineData("subject", "Gr?ße*", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus Ulm\r\n", true)]
    [InlineData("subject", "Grüße aus Ulm", "Subject: =?iso-8859-1?q?Gr=FC=DFe?=\r\n =?utf-8?b?IGF1cyBVbG0=?=\r\n", true)]
    [InlineData("subject", "Привет*", "Subject: =?koi8-r?b?8NLJ18XU?=\r\n", true)]
    [InlineData("subject", "日本語", "Subject: =?iso-2022-jp?b?GyRCRnxLXDhsGyhC?=\r\n", true)]
    [InlineData("subject", "日本語", "Subject: =?utf8?b?5pel5pys6Kqe?=\r\n", true)]
    [InlineData("subject", "Grüße", "Subject: Gr\u00fc\u00dfe\r\n", true)]
    [InlineData("subject", "GRÜSSE", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n", false)]
    [InlineData("subject", "*", "Subject : a blank before the colon\r\n", true)]
    [InlineData("subject", "*", "From: a@example.org\r\n", false)]
    [InlineData("subject", "*", "no field\r\nSubject: behind a line that is none\r\n", true)]
    [InlineData("subject", "second", "Subject: first\r\nSUBJECT: second\r\n", true)]
    [InlineData("subject", "*x*", "Subject: =?x-nobody-knows?b?AAEC?=\r\n", null)]
    [InlineData("subject", "*y*", "Subject: =?x-nobody-knows?b?AAEC?= y\r\n", true)]
    [InlineData("subject", "*счёт*", "Subject: \u00d3\u00de\u00a3\u00d4 in KOI8-R, undeclared\r\n", null)]
    [InlineData("subject", "*undeclared*", "Subject: \u00d3\u00de\u00a3\u00d4 in KOI8-R, undeclared\r\n", true)]
    [InlineData("subject", "*x*", "", null)]
    [InlineData("subject", "*x*", "\r\n", null)]
    [InlineData("subject", "*x*", "not a field in it\r\n\r\n", null)]
    [InlineData("from", "j@example.org", "From: =?utf-8?q?J=C3=B6rg?= <J@Example.org>\r\n", true)]
    [InlineData("from", "*@example.org", "From: \"Smith, Bob\" <bob@example.org> (home)\r\n", true)]
    [InlineData("from", "Smith, Bob", "From: \"Smith, Bob\" <bob@example.org>\r\n", true)]
    [InlineData("from", "Jörg <j@example.org>", "From: a@example.net,\r\n =?iso-8859-1?q?J=F6rg?= <j@example.org>\r\n", true)]
    [InlineData("from", "*@example.org", "From: bob@example.org.evil.example\r\n", false)]
    [InlineData("from", "*@example.org", "From: <<>> @@ nobody, knows\r\n", null)]
    [InlineData("from", "*nobody*", "From: <<>> @@ nobody, knows\r\n", true)]
    [InlineData("from", "*@example.org", "From:\r\n", false)]
    [InlineData("to", "carl@example.org", "To: a@example.org\r\nCc: Team: b@example.org, Carl <carl@example.org>;\r\n", true)]
    [InlineData("to", "carl@example.org", "Bcc: carl@example.org\r\n", true)]
    [InlineData("to", "carl@example.org", "From: carl@example.org\r\n", false)]
    [InlineData("list_id", "dev.lists.example.org", "List-Id: Developers <dev.lists.example.org>\r\n", true)]
    [InlineData("list_id", "*.lists.example.org", "List-Id: =?utf-8?q?=3Cno=3E?= <dev.lists.example.org>\r\n", true)]
    [InlineData("list_id", "Developers <*>", "list-id: Developers <dev.lists.example.org>\r\n", true)]
    [InlineData("list_id", "*", "Subject: no list\r\n", false)]
    public void A_value_is_compared_as_people_read_it(string key, string glob, string header, bool? fits)
    {
        var rule = Rule(key, glob);
        var octets = Encoding.Latin1.GetBytes(header);
        Assert.Equal(fits, HeaderMatch.Fits(octets, [rule]));
        Assert.Equal(!fits, HeaderMatch.Fits(octets, [rule with { Excludes = true }]));
    }

    [Fact]
    public void What_is_sure_decides_before_what_is_not()
    {
        var octets = Encoding.Latin1.GetBytes("From: a@example.org\r\nSubject: =?x-nobody-knows?b?AAEC?=\r\n\r\n");
        Assert.Null(HeaderMatch.Fits(octets, [Rule("subject", "x"), Rule("from", "a@*")]));
        Assert.False(HeaderMatch.Fits(octets, [Rule("subject", "x"), Rule("from", "b@*")]));
        Assert.True(HeaderMatch.Fits(octets, []));
    }

    [Fact]
    public void Of_a_header_that_was_cut_nobody_knows_the_rest()
    {
        var octets = Encoding.Latin1.GetBytes("Subject: here\r\nX-Long: " + new string('x', 1 << 20))[..(1 << 20)];
        Assert.True(HeaderMatch.Fits(octets, [Rule("subject", "here")]));
        Assert.Null(HeaderMatch.Fits(octets, [Rule("from", "*")]));
    }

    [Fact]
    public void Whatever_the_encoding_a_glob_made_of_the_text_fits_and_another_does_not()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        (string Charset, string Letters)[] charsets =
        [
            ("utf-8", "aÄß日語😀 .,?=*<>"), ("iso-8859-1", "abÄöß é."), ("koi8-r", "Привет мир"), ("iso-2022-jp", "日本語 です"), ("windows-1252", "a“b” –€"), ("gb18030", "中文 标题"),
        ];
        for (var round = 0; round < 500; round++)
        {
            var (charset, letters) = charsets[random.Next(charsets.Length)];
            var runes = letters.EnumerateRunes().ToArray();
            var text = string.Join(' ', string.Concat(Enumerable.Range(0, random.Next(1, 60)).Select(_ => runes[random.Next(runes.Length)])).Split(' ', StringSplitOptions.RemoveEmptyEntries));
            if (text.Length == 0)
                continue;
            var encoded = Rfc2047.EncodeText(Encoding.GetEncoding(charset), text);
            var octets = (byte[])[.. "From: x\r\nSubject: "u8, .. encoded, .. "\r\n\r\n"u8];
            var glob = new StringBuilder();
            for (var at = 0; at < text.Length;)
            {
                var kind = random.Next(4);
                var length = kind == 0 ? random.Next(0, text.Length - at + 1) : 1;
                glob.Append(kind switch { 0 => "*", 1 => "?", 2 => char.ToUpperInvariant(text[at]), _ => text[at] });
                at += length;
            }

            var because = $"seed {seed}, round {round}: '{text}' as {charset}, glob '{glob}'";
            Assert.True(HeaderMatch.Fits(octets, [Rule("subject", glob.ToString())]) == true, because);
            Assert.True(HeaderMatch.Fits(octets, [Rule("subject", glob + "#")]) == false, because);
        }
    }

    [Fact]
    public void A_glob_fits_what_its_regular_expression_does()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        for (var round = 0; round < 5000; round++)
        {
            var glob = string.Concat(Enumerable.Range(0, random.Next(7)).Select(_ => "ab*?"[random.Next(4)]));
            var text = string.Concat(Enumerable.Range(0, random.Next(9)).Select(_ => "aB"[random.Next(2)]));
            var expression = "^" + Regex.Escape(glob).Replace("\\*", ".*", StringComparison.Ordinal).Replace("\\?", ".", StringComparison.Ordinal) + "$";
            var fits = Regex.IsMatch(text, expression, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, TimeSpan.FromMinutes(1));
            Assert.True(HeaderMatch.Fits(Encoding.Latin1.GetBytes($"Subject: {text}\r\n\r\n"), [Rule("subject", glob)]) == fits, $"seed {seed}: '{glob}' on '{text}'");
        }
    }

    internal static HeaderRule Rule(string key, string glob) => key switch
    {
        "from" => new HeaderRule(HeaderKind.Addresses, ["From"], [glob], false),
        "to" => new HeaderRule(HeaderKind.Addresses, ["To", "Cc", "Bcc"], [glob], false),
        "list_id" => new HeaderRule(HeaderKind.ListId, ["List-Id"], [glob], false),
        _ => new HeaderRule(HeaderKind.Text, ["Subject"], [glob], false),
    };
}
