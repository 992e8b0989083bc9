using System.Globalization;
using System.Text;

namespace Imapsync.Engine.Tests.Transcripts;

/// <summary>A server's replies to commands, and the expected result. tests/StoreTranscripts/README.md describes the format.</summary>
internal sealed class Transcript
{
    private const string Defaults = """
        C: CAPABILITY
        S: * CAPABILITY IMAP4rev1
        S: $ OK
        C: LOGIN *
        S: $ OK logged in
        C: LIST "" ""
        S: * LIST (\Noselect) "/" ""
        S: $ OK
        C: LIST "" "*"
        S: * LIST () "/" INBOX
        S: $ OK
        C: LSUB *
        S: $ OK
        C: EXAMINE *
        S: * 1 EXISTS
        S: * OK [UIDVALIDITY 1] x
        S: * OK [UIDNEXT 100] x
        S: $ OK [READ-ONLY] opened
        C: UID FETCH 1:* *
        S: * 1 FETCH (UID 7 FLAGS (\Seen) INTERNALDATE "17-Jul-2024 02:44:25 +0000" RFC822.SIZE 5)
        S: $ OK
        C: UID FETCH * (UID BODY.PEEK[])
        S: * 1 FETCH (UID 7 BODY[] {5}
        S: hello)
        S: $ OK
        C: LOGOUT
        S: * BYE
        S: $ OK
        C: *
        S: $ BAD unknown command
        """;

    private readonly List<(string Command, string Reply)> replies = [];
    private readonly int own;

    private Transcript(string text)
    {
        var greeting = new StringBuilder();
        var expected = new StringBuilder();
        Read(text, greeting, expected);
        own = replies.Count;
        Greeting = greeting.Length == 0 ? "* OK ready\r\n" : greeting.ToString();
        Expected = expected.ToString();
        Read(Defaults, greeting, expected);
    }

    public string Greeting { get; }

    /// <summary>The text that <see cref="StoreDump"/> must produce for this server.</summary>
    public string Expected { get; }

    public static string Directory => Path.Combine(AppContext.BaseDirectory, "StoreTranscripts");

    public static Transcript Load(string name) => new(File.ReadAllText(Path.Combine(Directory, name)));

    /// <summary>
    /// Returns the reply to a command, or the default reply if the transcript has none. Several replies are given in order, the last one
    /// repeatedly.
    /// </summary>
    /// <param name="used">The keys are the numbers of the replies already given on this connection.</param>
    public string Reply(string command, Dictionary<int, int> used)
    {
        var found = -1;
        for (var i = 0; i < replies.Count; i++)
        {
            if ((i >= own && found >= 0) || !Matches(replies[i].Command, command))
                continue;
            found = i;
            if (!used.ContainsKey(i) || i >= own)
                break;
        }

        used[found] = 1;
        return replies[found].Reply;
    }

    private static bool Matches(string pattern, string command) =>
        System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(
            pattern.Replace("\\", "\\\\", StringComparison.Ordinal), command, ignoreCase: true)
        || pattern.Equals(command, StringComparison.OrdinalIgnoreCase);

    private void Read(string text, StringBuilder greeting, StringBuilder expected)
    {
        var isGreeting = true;
        foreach (var line in text.Split('\n').Select(l => l.TrimEnd('\r')).Where(l => l.Length >= 2))
        {
            var rest = Rest(line);
            switch (line[..2])
            {
                case "C:":
                    isGreeting = false;
                    replies.Add((rest, ""));
                    break;
                case "S:" or "S-" or "S=" when isGreeting:
                    greeting.Append(Octets(line));
                    break;
                case "S:" or "S-" or "S=":
                    replies[^1] = (replies[^1].Command, replies[^1].Reply + Octets(line));
                    break;
                case "E:":
                    expected.Append(rest).Append('\n');
                    break;
                default:
                    Assert.StartsWith("#", line, StringComparison.Ordinal);
                    break;
            }
        }
    }

    private static string Rest(string line) => line.Length > 3 ? line[3..] : "";

    /// <summary>Decodes a line to send: <c>S:</c> ends in CRLF, <c>S-</c> in LF, <c>S=</c> in nothing; <c>\xNN</c> is an octet.</summary>
    private static string Octets(string line)
    {
        var text = new StringBuilder();
        var rest = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Rest(line)));
        for (var i = 0; i < rest.Length; i++)
        {
            if (rest[i] == '\\' && i + 3 < rest.Length && rest[i + 1] == 'x'
                && byte.TryParse(rest.AsSpan(i + 2, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
            {
                text.Append((char)octet);
                i += 3;
            }
            else
            {
                text.Append(rest[i]);
            }
        }

        return text.Append(line[1] switch { ':' => "\r\n", '-' => "\n", _ => "" }).ToString();
    }
}
