using System.Text;
using Imapsync.Imap.Wire;

namespace Imapsync.Imap.Tests.Wire;

public sealed class ValueTests
{
    [Theory]
    [InlineData("17-Jul-2024 02:44:25 +0000", "2024-07-17T02:44:25+00:00")]
    [InlineData(" 7-jul-2024 02:44:25 -0930", "2024-07-07T02:44:25-09:30")]
    [InlineData("7-Jul-2024 02:44:25", "2024-07-07T02:44:25+00:00")]
    [InlineData("01-Jan-0001 00:00:00 +1400", "0001-01-01T00:00:00+00:00")]
    [InlineData("29-Feb-2023 00:00:00 +0000", null)]
    [InlineData("00-Jan-0000 00:00:00 +0000", null)]
    [InlineData("31-Feb-2024 00:00:00 +0000", null)]
    [InlineData("17-Jul-24 02:44:25 +0000", null)]
    [InlineData("17-Jul-2024", null)]
    [InlineData("", null)]
    [InlineData("-1-Jul-2024 02:44:25 +0000", null)]
    [InlineData("17-Jul-2024 -2:44:25 +0000", null)]
    public void Dates_are_read_leniently_and_nonsense_is_none(string text, string? expected) =>
        Assert.Equal(expected, ImapDate.TryParse(Encoding.ASCII.GetBytes(text), out var date) ? date.ToString("yyyy-MM-ddTHH:mm:sszzz") : null);

    [Theory]
    [InlineData("2024-07-07T02:44:25-09:30", " 7-Jul-2024 02:44:25 -0930")]
    [InlineData("0999-12-31T23:59:59+14:00", "31-Dec-0999 23:59:59 +1400")]
    public void Dates_are_written_as_RFC_9051_wants_them(string date, string expected) =>
        Assert.Equal(expected, ImapDate.Format(DateTimeOffset.Parse(date, System.Globalization.CultureInfo.InvariantCulture)));

    [Theory]
    [InlineData("Entw&APw-rfe", "Entwürfe")]
    [InlineData("&ZeVnLIqe-", "日本語")]
    [InlineData("A &- B", "A & B")]
    [InlineData("&2D3eAA-", "😀")]
    [InlineData("INBOX", "INBOX")]
    public void Modified_UTF7_goes_both_ways(string wire, string name)
    {
        Assert.Equal(name, ModifiedUtf7.Decode(wire));
        Assert.Equal(wire, ModifiedUtf7.Encode(name));
    }

    [Theory]
    [InlineData("a&b", "a&b")]
    [InlineData("a&!!-b", "a&!!-b")]
    [InlineData("&2D0-", "&2D0-")]
    [InlineData("R\u00c3\u00a9sum\u00c3\u00a9", "Résumé")]
    [InlineData("R\u00e9sum\u00e9", "Résumé")]
    [InlineData("Q&A", "Q&A")]
    [InlineData("&AP", "&AP")]
    public void Broken_names_stand_for_themselves(string wire, string shown) => Assert.Equal(shown, ModifiedUtf7.Decode(wire));

    [Theory]
    [InlineData("OK [UIDVALIDITY 0] x", StatusKind.Ok, ResponseCodeKind.UidValidity, "0", "x")]
    [InlineData("NO [throttled] slow down", StatusKind.No, ResponseCodeKind.Throttled, "", "slow down")]
    [InlineData("[COPYUID 1 2 3] moved", StatusKind.Ok, ResponseCodeKind.CopyUid, "1 2 3", "moved")]
    [InlineData("OK [PERMANENTFLAGS (\\Seen [] \\*)] Limited", StatusKind.Ok, ResponseCodeKind.PermanentFlags, "(\\Seen [] \\*)", "Limited")]
    [InlineData("ok [X-NEW (a) b] done", StatusKind.Ok, ResponseCodeKind.Unknown, "(a) b", "done")]
    public void Status_replies_are_one_table_for_all(string text, StatusKind kind, ResponseCodeKind code, string arguments, string rest)
    {
        var reply = StatusParser.TryParse(Encoding.Latin1.GetBytes(text + "\r\n"), ImapLimits.Default)!;
        Assert.Equal((kind, code, arguments, rest), (reply.Kind, reply.Code!.Kind, reply.Code.Arguments, reply.Text));
    }

    [Fact]
    public void A_back_off_in_the_text_is_understood()
    {
        var reply = StatusParser.TryParse("BAD Request is throttled. Suggested Backoff Time: 299961 milliseconds\r\n"u8, ImapLimits.Default)!;
        Assert.Equal(new Refusal(RefusalKind.Throttled, true, TimeSpan.FromMilliseconds(299961)), RefusalClassifier.Classify(reply));
    }

    [Theory]
    [InlineData("NO [LIMIT] Mail size is larger than the maximum size allowed by server configuration", RefusalKind.TooBig, false)]
    [InlineData("NO [LIMIT] Too many connections", RefusalKind.TooManyConnections, true)]
    [InlineData("NO [LIMIT] Slow down", RefusalKind.Throttled, true)]
    [InlineData("NO [OVERQUOTA] Account exceeded command or bandwidth limits. (Failure)", RefusalKind.DailyLimit, false)]
    [InlineData("BYE [OVERQUOTA] Account exceeded command or bandwidth limits.", RefusalKind.DailyLimit, false)]
    [InlineData("NO [OVERQUOTA] Not enough disk quota", RefusalKind.Quota, false)]
    [InlineData("BYE Session expired", RefusalKind.Unavailable, true)]
    public void What_limit_a_server_means_its_text_tells(string text, RefusalKind kind, bool isTransient) =>
        Assert.Equal(new Refusal(kind, isTransient), RefusalClassifier.Classify(StatusParser.TryParse(Encoding.Latin1.GetBytes(text + "\r\n"), ImapLimits.Default)!));

    [Fact]
    public void Capabilities_are_read_without_regard_to_case_and_with_what_rev2_implies()
    {
        var offered = new ImapCapabilities(["imap4REV2", "literal", "+", "auth=Plain", "APPENDLIMIT=1000"]);
        Assert.True(offered.HasNamespace && offered.HasUidPlus && offered.HasLiteralPlus && offered.HasSaslInitialResponse);
        Assert.False(offered.HasCondStore);
        Assert.Equal(["PLAIN"], offered.AuthMechanisms);
        Assert.Equal(1000, offered.AppendLimit);
    }
}
