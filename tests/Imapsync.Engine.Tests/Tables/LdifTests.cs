using System.Text;
using Imapsync.Engine.Tables;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Tables;

/// <summary>LDIF as directory servers write it, and malformed LDIF.</summary>
public sealed class LdifTests
{
    private static readonly string[] Values = ["alice", "alice@example.org", " blank in front", "end ", "", ":colon", "<less", "Jörg Müller", "日本語", "a\nb", "x: y", "#no comment", new('w', 300), "\U0001F600"];

    [Fact]
    public void Whatever_is_written_folded_encoded_and_commented_is_read_back()
    {
        var seed = Seeds.Next();
        for (var round = 0; round < 300; round++)
        {
            var random = new Random(seed + round);
            var entries = Enumerable.Range(0, random.Next(1, 6)).Select(i => (List<(string Name, string Value)>)
            [
                ("dn", $"uid=u{i},dc=example"),
                .. Enumerable.Range(0, random.Next(6)).Select(_ => (((string[])["uid", "mail", "cn;lang-de", "userPassword"])[random.Next(4)], Values[random.Next(Values.Length)])),
            ]).ToList();
            var end = random.Next(2) == 0 ? "\n" : "\r\n";
            var text = new StringBuilder(random.Next(2) == 0 ? $"version: 1{end}" : "");
            var lines = new List<int>();
            foreach (var entry in entries)
            {
                text.Append(end).Append(random.Next(3) == 0 ? $"# a comment{end}  that goes on: here{end}" : "");
                lines.Add(text.ToString().Count(c => c == '\n') + 1);
                foreach (var (name, value) in entry)
                    text.Append(Folded($"{(random.Next(4) == 0 ? name.ToUpperInvariant() : name)}:{Written(value, random)}", random, end)).Append(end);
            }

            using var reader = Read(random.Next(3) == 0 ? "\uFEFF" + text : text.ToString());
            var because = $"seed {seed + round}\n{text}";
            foreach (var (entry, line) in entries.Zip(lines))
            {
                Assert.True(reader.ReadRow(), because);
                Assert.True(reader.Line == line, because);
                foreach (var (at, column) in reader.Columns.Index())
                {
                    var (name, number) = column.EndsWith(']') ? (column[..^3], column[^2] - '0') : (column, 1);
                    var there = entry.Where(e => e.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(e => e.Value).ToList();
                    Assert.True(reader.Cells[at] == (there.ElementAtOrDefault(number - 1) ?? ""), $"{column}: {reader.Cells[at]}; {because}");
                    Assert.True(reader.TroubleOf(at) is not null == (there.Count > 1 && !column.EndsWith(']')), because);
                }
            }

            Assert.False(reader.ReadRow(), because);
        }
    }

    [Theory]
    [InlineData("dn: a\nuid: u\n\nuid: s3cret\n", 4, "an entry begins with its 'dn'")]
    [InlineData("dn: a\nuid:: s3cret!\n", 2, "is no base64")]
    [InlineData("dn: a\nuid:< file:///s3cret\n", 2, "is to be fetched from a URL")]
    [InlineData("dn: a\nchangetype: delete\n", 2, "a list of changes")]
    [InlineData("dn: a\ndn: s3cret\n", 2, "a second 'dn'")]
    [InlineData("dn: a\ns3cret s3cret\n", 2, "does not begin with an attribute's name")]
    [InlineData("version: 2\n\ndn: a\n", 1, "no LDIF of version 1")]
    [InlineData(" s3cret\n", 1, "there is none")]
    [InlineData("# comment\n\ndn: a\nuid: u\n\n s3cret\n", 6, "there is none")]
    [InlineData("user,password\nalice,s3cret\n", 1, "does not begin with an attribute's name")]
    public void What_is_wrong_is_told_by_its_line_without_its_value(string text, int line, string told)
    {
        var failure = Assert.Throws<TableException>(() => Read(text));
        Assert.Equal(line, failure.Line);
        Assert.Contains(told, failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", failure.Message + failure.Remedy, StringComparison.Ordinal);
        Assert.NotEmpty(failure.Remedy);
    }

    [Fact]
    public void Damage_of_any_kind_ends_in_rows_or_in_that_error()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        var good = Encoding.UTF8.GetBytes("version: 1\n\n# c\n d\ndn: uid=a\nuid: a\nmail:: YUBi\nmail: c@d\nlong: a\n b\n c\n\ndn: uid=b\nuid: b\njpegPhoto:: /9j/\n");
        for (var i = 0; i < 3000; i++)
        {
            var octets = good.ToArray();
            for (var n = random.Next(1, 5); n > 0; n--)
                octets[random.Next(octets.Length)] = (byte)(random.Next(2) == 0 ? "\n: #<\r"[random.Next(6)] : random.Next(256));
            try
            {
                using var reader = LdifReader.Read(new MemoryStream(octets));
                while (reader.ReadRow())
                    Assert.Equal(reader.Columns.Count, reader.Cells.Length);
            }
            catch (TableException e)
            {
                Assert.True(e.Line > 0, $"seed {seed}");
            }
        }
    }

    [Fact]
    public void A_value_that_is_no_text_is_no_value()
    {
        using var reader = Read("dn: a\nuid: a\njpegPhoto:: /9j/\n");
        Assert.True(reader.ReadRow());
        Assert.Contains("no UTF-8 text", reader.TroubleOf(2)?.Message, StringComparison.Ordinal);
        Assert.Null(reader.TroubleOf(1));
    }

    private static LdifReader Read(string text) => LdifReader.Read(new MemoryStream(Encoding.UTF8.GetBytes(text)));

    /// <summary>Returns a value as LDIF (RFC 2849), in base64 where required and at random elsewhere.</summary>
    private static string Written(string value, Random random)
    {
        var needs = value.Length > 0 && (value[0] is ' ' or ':' or '<' || value[^1] == ' ' || value.Contains('\n', StringComparison.Ordinal));
        return needs || random.Next(3) == 0 ? $": {Convert.ToBase64String(Encoding.UTF8.GetBytes(value))}" : $" {value}";
    }

    /// <summary>Returns the line folded at random places after the attribute's name, between characters.</summary>
    private static string Folded(string line, Random random, string end)
    {
        for (var cuts = random.Next(4); cuts > 0 && line.Length > 14; cuts--)
        {
            var at = random.Next(13, line.Length);
            if (!char.IsLowSurrogate(line[at]) && line[at] is not ('\n' or '\r' or ' ') && line[at - 1] is not ('\n' or '\r' or ' '))
                line = $"{line[..at]}{end} {line[at..]}";
        }

        return line;
    }
}
