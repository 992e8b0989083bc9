using System.Globalization;
using System.Text;

namespace Imapsync.Imap.Tests.Transcripts;

/// <summary>One turn of a conversation: what the client must send first, and what the server then answers.</summary>
internal sealed record Turn(byte[] Client, byte[] Server);

/// <summary>One conversation from tests/Transcripts, in the format described in the README there.</summary>
internal sealed record Transcript(string Name, IReadOnlyList<Turn> Turns, IReadOnlyList<string> Calls, IReadOnlyList<string> Expected)
{
    /// <summary>Whether the client must require STARTTLS.</summary>
    public bool NeedsTls { get; private init; }

    /// <summary>Whether the client may send anything after the end of the script, e.g. a TLS handshake.</summary>
    public bool IsOpenEnded { get; private init; }

    private static readonly string Root = Path.Combine(AppContext.BaseDirectory, "Transcripts");

    /// <summary>The transcripts' paths relative to tests/Transcripts, sorted.</summary>
    public static IEnumerable<string> Names =>
        Directory.EnumerateFiles(Root, "*.txt", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(Root, f).Replace('\\', '/')).Order(StringComparer.Ordinal);

    public long ServerOctets => Turns.Sum(t => (long)t.Server.Length);

    public static Transcript Load(string name) => Parse(name, File.ReadAllLines(Path.Combine(Root, name)));

    public static Transcript Parse(string name, IEnumerable<string> lines)
    {
        var turns = new List<(MemoryStream Client, MemoryStream Server)> { (new(), new()) };
        var calls = new List<string>();
        var expected = new List<string>();
        bool needsTls = false, isOpenEnded = false;
        foreach (var line in lines)
        {
            if (line.StartsWith("tls: required", StringComparison.Ordinal))
                needsTls = true;
            else if (line == "C: ...")
                isOpenEnded = true;
            else if (line.StartsWith("S:", StringComparison.Ordinal) || line.StartsWith("S|", StringComparison.Ordinal))
                turns[^1].Server.Write(Octets(line));
            else if (line.StartsWith("C:", StringComparison.Ordinal) || line.StartsWith("C|", StringComparison.Ordinal))
                TurnOfClient(turns).Write(Octets(line));
            else if (line.StartsWith("> ", StringComparison.Ordinal))
                Add(line, calls, expected);
            else if (line.StartsWith("= ", StringComparison.Ordinal))
                expected.Add(line);
            else if (line.Length > 0 && line[0] != '#' && !line.StartsWith("quirk: ", StringComparison.Ordinal))
                throw new FormatException($"{name}: not a transcript's line: {line}");
        }

        return new Transcript(name, [.. turns.Select(t => new Turn(t.Client.ToArray(), t.Server.ToArray()))], calls, expected)
        {
            NeedsTls = needsTls,
            IsOpenEnded = isOpenEnded,
        };
    }

    /// <summary>Converts text to octets; <c>\xHH</c> stands for an octet that text can't contain.</summary>
    public static byte[] Unescape(string text)
    {
        var octets = new List<byte>(text.Length);
        for (var i = 0; i < text.Length;)
        {
            if (text[i] == '\\' && i + 3 < text.Length && text[i + 1] == 'x'
                && byte.TryParse(text.AsSpan(i + 2, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture, out var octet))
            {
                octets.Add(octet);
                i += 4;
                continue;
            }

            var length = char.IsSurrogatePair(text, i) ? 2 : 1;
            octets.AddRange(Encoding.UTF8.GetBytes(text.Substring(i, length)));
            i += length;
        }

        return [.. octets];
    }

    /// <summary>Reverses <see cref="Unescape"/>; the octets are given as one character each.</summary>
    public static string Escape(string octets)
    {
        var text = new StringBuilder(octets.Length);
        foreach (var c in octets)
            _ = c is >= ' ' and <= '~' ? text.Append(c) : text.Append(CultureInfo.InvariantCulture, $"\\x{(int)c:X2}");
        return text.ToString();
    }

    private static void Add(string line, List<string> calls, List<string> expected)
    {
        calls.Add(line[2..]);
        expected.Add(line);
    }

    private static MemoryStream TurnOfClient(List<(MemoryStream Client, MemoryStream Server)> turns)
    {
        if (turns[^1].Server.Length > 0 || turns.Count == 1)
            turns.Add((new(), new()));
        return turns[^1].Client;
    }

    private static byte[] Octets(string line)
    {
        var text = line.Length > 2 && line[2] == ' ' ? line[3..] : line[2..];
        return line[1] == ':' ? [.. Unescape(text), 13, 10] : Unescape(text);
    }
}
