using System.Text;

namespace Imapsync.Engine.Tests.Contracts;

/// <summary>Messages that mail programs are known to change, each under the name of its oddity.</summary>
public static class AwkwardMessages
{
    private const string Header = "From: a@example.com\r\nSubject: x\r\nMessage-ID: <1@example.com>\r\n";

    public static IReadOnlyDictionary<string, byte[]> All { get; } = new Dictionary<string, byte[]>
    {
        ["plain"] = Text(Header + "\r\nHello\r\n"),
        ["no header"] = Text("\r\nonly a body\r\n"),
        ["no body"] = Text(Header + "\r\n"),
        ["no body and no empty line"] = Text(Header),
        ["nothing at all"] = [],
        ["one line end"] = Text("\r\n"),
        ["one octet"] = Text("x"),
        ["no final line end"] = Text(Header + "\r\nHello"),
        ["final CR"] = Text(Header + "\r\nHello\r"),
        ["final empty lines"] = Text(Header + "\r\nHello\r\n\r\n\r\n"),
        ["bare CR"] = Text(Header + "\r\nold\rMac\rtext\r\n"),
        ["bare LF"] = Text(Header + "\r\nHello\nworld\r\n"),
        ["bare LF only"] = Text((Header + "\r\nHello\r\n").Replace("\r", "", StringComparison.Ordinal)),
        ["bare LF first"] = Text("\n" + Header),
        ["CRCRLF"] = Text(Header + "\r\nHello\r\r\nworld\r\n"),
        ["CRCRLF and bare LF"] = Text(Header + "\r\nHello\r\r\nwor\nld\r\n"),
        ["CRCRCRLF at the end"] = Text(Header + "\r\nHello\r\r\r\n"),
        ["LFCR"] = Text(Header + "\r\nHello\n\rworld\r\n"),
        ["NUL"] = Text(Header + "\r\nnul \0 here\0\0\r\n"),
        ["8-bit"] = [.. Text(Header + "\r\n"), .. Enumerable.Range(128, 128).Select(i => (byte)i), 13, 10],
        ["8-bit header"] = [.. Text("Subject: "), 0xff, 0xfe, 0xe9, .. Text("\r\n\r\nx\r\n")],
        ["long line"] = Text(Header + "\r\n" + new string('x', 200_000) + "\r\n"),
        ["long header line"] = Text("Subject: " + new string('y', 100_000) + "\r\n\r\nx\r\n"),
        ["bare LF after 300,000 octets"] = Text(Header + "\r\n" + Lines(4_000) + "here\nit is\r\n" + Lines(2_000)),
        ["CRCRLF after 300,000 octets"] = Text(Header + "\r\n" + Lines(4_000) + "here\r\r\nit is\r\n" + Lines(2_000)),
        ["CR at every edge"] = Text(string.Concat(Enumerable.Repeat("\r", 300_000)) + "\r\n"),
        ["large"] = Text(Header + "\r\n" + Lines(20_000)),
        ["dots"] = Text(Header + "\r\n.\r\n..\r\n.x\r\n"),
        ["From lines"] = Text("From nobody Thu Jan  1 00:00:00 1970\r\n" + Header + "\r\nFrom x\r\n>From y\r\n>>From z\r\nFromage\r\nFrom\r\n"),
        ["From line after an empty line"] = Text(Header + "\r\n\r\nFrom a@b.c Thu Jan  1 00:00:00 1970\r\nSubject: not a message\r\n\r\nx\r\n"),
        ["headers of mbox programs"] = Text(
            "Status: RO\r\nX-Status: AFTD\r\nX-Keywords: evil\r\nX-UID: 7\r\nX-IMAP: 1 2\r\nX-IMAPbase: 1 2\r\nContent-Length: 5\r\n" + Header + "\r\nHello, hello\r\n"),
        ["blanks at line ends"] = Text(Header + "Subject: x \t\r\n \r\n\r\n \r\n\t\r\n"),
    };

    /// <summary>An ordinary message whose text depends on the number.</summary>
    public static byte[] Ordinary(int number) => Text(
        $"From: a@example.com\r\nSubject: number {number}\r\nMessage-ID: <{number}@example.com>\r\n\r\n{Lines(1 + (number % 5))}");

    private static string Lines(int count) => string.Concat(Enumerable.Range(0, count).Select(i => $"line {i} of an ordinary text, as long as such lines are\r\n"));

    private static byte[] Text(string text) => Encoding.Latin1.GetBytes(text);
}
