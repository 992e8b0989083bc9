using System.Text;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Tests.Wire;

public sealed class TokenizerTests
{
    [Theory]
    [InlineData("a  b\r\n", "a|b")]
    [InlineData("(\\Seen $x]) NIL \"\"\n", "(|\\Seen|$x]|)|NIL|'")]
    [InlineData("\"a\\\"b\\\\c\" d", "'a\"b\\c|d")]
    [InlineData("\"back\\slash\"", "'back\\slash")]
    [InlineData("\"say \"hello\" now\"", "'say \"hello|now\"")]
    [InlineData("\"say \"hello\"now\"", "'say \"hello\"now")]
    [InlineData("\"never closed\r\n", "'never closed")]
    [InlineData("{3}\r\na\"b c", "~a\"b|c")]
    [InlineData("~{2+}\r\nab)", "~ab|)")]
    [InlineData("{9}\r\nshort", "{9}|short")]
    [InlineData("BODY[HEADER.FIELDS (FROM TO)] x", "BODY[HEADER.FIELDS (FROM TO)]|x")]
    [InlineData("[Gmail]/All", "[Gmail]/All")]
    [InlineData("(()", "(|(|)")]
    public void Tokens_are_read_as_people_meant_them(string text, string expected) => Assert.Equal(expected, Tokens(Encoding.Latin1.GetBytes(text)));

    [Fact]
    public void Every_beginning_of_a_reply_can_be_read_to_its_end()
    {
        var reply = Encoding.Latin1.GetBytes("(UID 7 FLAGS (\\Seen \"a b\" []) INTERNALDATE \"17-Jul-2024 02:44:25 +0000\" X {3}\r\nabc BODY[TEXT (A)] NIL ~{1}\r\nx)\r\n");
        for (var cut = 0; cut <= reply.Length; cut++)
        {
            var items = FetchItems.Read(new Tokenizer(reply.AsSpan(0, cut)), new FlagReader(ImapLimits.Default));
            Assert.True(items.Uid.IsNone || items.Uid.Value == 7);
            Assert.True(Tokens(reply.AsSpan(0, cut)).Length <= cut + 40);
        }
    }

    [Fact]
    public void Nesting_has_a_limit()
    {
        var deep = Encoding.Latin1.GetBytes("(X " + new string('(', 5000));
        Assert.Throws<ImapProtocolException>(() => FetchItems.Read(new Tokenizer(deep), new FlagReader(ImapLimits.Default)));
    }

    [Fact]
    public void Fetch_items_come_in_any_order_among_unknown_ones()
    {
        var text = "(X-GM-LABELS (\"\\\\Inbox\" {3}\r\na b) MODSEQ (-1) RFC822.SIZE 9.3736e+06 FLAGS NIL X atom INTERNALDATE {26}\r\n17-Jul-2024 02:44:25 +0200 BODY[] NIL UID 12)";
        var items = FetchItems.Read(new Tokenizer(Encoding.Latin1.GetBytes(text)), new FlagReader(ImapLimits.Default));
        Assert.Equal(new Uid(12), items.Uid);
        Assert.Equal(9_373_600, items.Size);
        Assert.Equal(FlagSet.Empty, items.Flags);
        Assert.Null(items.ModSeq);
        Assert.True(items.HasBody);
        Assert.Null(items.Body);
        Assert.Equal(new DateTimeOffset(2024, 7, 17, 2, 44, 25, TimeSpan.FromHours(2)), items.InternalDate);
    }

    private static string Tokens(ReadOnlySpan<byte> text)
    {
        var tokens = new Tokenizer(text);
        var read = new List<string>();
        for (var token = tokens.Next(); token.Kind != TokenKind.End; token = tokens.Next())
        {
            read.Add(token.Kind switch
            {
                TokenKind.Quoted => "'" + token.ToLatin1(),
                TokenKind.Literal => "~" + token.ToLatin1(),
                _ => token.ToLatin1(),
            });
        }

        return string.Join('|', read);
    }
}
