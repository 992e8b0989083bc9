using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Imapsync.Tests.Support.Gmail;

/// <summary>
/// One connection: reads a command with its literals, executes it and answers. Supports only the commands that imapsync sends.
/// </summary>
internal sealed partial class GmailSession(GmailServer server, Stream stream)
{
    private const string Capabilities =
        "IMAP4rev1 UNSELECT ID NAMESPACE UIDPLUS MOVE CONDSTORE LIST-EXTENDED LIST-STATUS SPECIAL-USE LITERAL+ X-GM-EXT-1";

    private readonly StringBuilder output = new();
    private GmailFolder? selected;
    private int toldCount;

    private GmailAccount Account => server.Account;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await SendAsync($"* OK [CAPABILITY {Capabilities}] Gimap ready\r\n", cancellationToken);
        while (await ReadCommandAsync(cancellationToken) is { } command)
        {
            var blank = command.Line.IndexOf(' ', StringComparison.Ordinal);
            var (tag, line) = (command.Line[..blank], command.Line[(blank + 1)..]);
            string? answer;
            lock (Account)
            {
                server.Log(line);
                server.OnCommand(line);
                answer = Obey(line, command.Literals);
                TellCount();
                if (server.CutsAfter(line))
                    return;
            }

            await SendAsync($"{output}{(answer is null ? "* BYE Session expired, please login again.\r\n" : $"{tag} {answer}\r\n")}", cancellationToken);
            output.Clear();
            if (answer is null || line == "LOGOUT")
                return;
        }
    }

    /// <summary>Executes a command and returns the tagged response; null if the session must end.</summary>
    private string? Obey(string line, IReadOnlyList<string> literals)
    {
        var words = line.Split(' ');
        return (words[0], words.ElementAtOrDefault(1)) switch
        {
            ("CAPABILITY", _) => Ok($"* CAPABILITY {Capabilities}\r\n"),
            ("LOGIN" or "NOOP" or "UNSELECT" or "CLOSE" or "SUBSCRIBE" or "UNSUBSCRIBE", _) => Ok(),
            ("LOGOUT", _) => Ok("* BYE LOGOUT Requested\r\n"),
            ("ID", _) => Ok("* ID (\"name\" \"GImap\" \"vendor\" \"Google, Inc.\")\r\n"),
            ("NAMESPACE", _) => Ok("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"),
            ("LIST", _) => List(words[2].Trim('"').Length == 0),
            ("STATUS", _) => OnFolder(Strings(line)[0], f => Ok(Status(f))),
            ("CREATE", _) => Create(Strings(line)[0]),
            ("SELECT" or "EXAMINE", _) => OnFolder(Strings(line)[0], f => Select(f, words[0] == "SELECT")),
            ("APPEND", _) => OnFolder(Strings(line)[0], f => Append(f, line, literals[^1])),
            ("UID", "FETCH") => Fetch(words[2], line),
            ("UID", "STORE") => Store(words[2], words[3], line),
            ("UID", "EXPUNGE") => OnMessages(words[2], m =>
            {
                if (m.Flags.Contains("\\Deleted"))
                    Account.Expunge(selected!, m);
            }),
            ("UID", "COPY" or "MOVE") => OnFolder(Strings(line)[0], f => OnMessages(words[2], m => Account.Copy(f, m))),
            _ => "BAD Unknown command",
        };
    }

    /// <summary>Sends an untagged EXISTS or EXPUNGE if any session has changed the number of messages in the selected folder.</summary>
    private void TellCount()
    {
        for (; selected is not null && toldCount > selected.Messages.Count; toldCount--)
            output.Append("* 1 EXPUNGE\r\n");
        if (selected is not null && toldCount < selected.Messages.Count)
            output.Append(CultureInfo.InvariantCulture, $"* {toldCount = selected.Messages.Count} EXISTS\r\n");
    }

    private string Ok(string untagged = "")
    {
        output.Append(untagged);
        return "OK Success";
    }

    private string? OnFolder(string name, Func<GmailFolder, string?> act) =>
        Account.Find(name) is { } folder ? act(folder) : "NO [NONEXISTENT] Unknown Mailbox: " + name + " (Failure)";

    private string OnMessages(string set, Action<GmailMessage> act)
    {
        foreach (var (_, message) in Among(set))
            act(message);
        return Ok();
    }

    private string List(bool isRoot)
    {
        if (isRoot)
            return Ok("* LIST (\\Noselect) \"/\" \"\"\r\n");
        output.Append(CultureInfo.InvariantCulture, $"* LIST (\\HasChildren \\Noselect) \"/\" \"{Account.Root}\"\r\n");
        foreach (var folder in Account.Folders)
            output.Append(CultureInfo.InvariantCulture, $"* LIST ({folder.Attributes} \\Subscribed) \"/\" \"{folder.Name}\"\r\n").Append(Status(folder));
        return Ok();
    }

    private static string Status(GmailFolder folder) =>
        $"* STATUS \"{folder.Name}\" (MESSAGES {folder.Messages.Count} UIDNEXT {folder.UidNext} UIDVALIDITY {folder.UidValidity} HIGHESTMODSEQ 7)\r\n";

    private string Create(string name)
    {
        if (name.StartsWith(Account.Root, StringComparison.OrdinalIgnoreCase))
            return "NO [CANNOT] Invalid folder name (Failure)";
        Account.AddLabel(name);
        return Ok();
    }

    private string Select(GmailFolder folder, bool isWritable)
    {
        selected = folder;
        toldCount = folder.Messages.Count;
        Ok($"* FLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen)\r\n* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Draft \\Deleted \\Seen \\*)] Flags permitted.\r\n"
            + $"* {folder.Messages.Count} EXISTS\r\n* OK [UIDVALIDITY {folder.UidValidity}]\r\n* OK [UIDNEXT {folder.UidNext}]\r\n* OK [HIGHESTMODSEQ 7]\r\n");
        return $"OK [READ-{(isWritable ? "WRITE" : "ONLY")}] {folder.Name} selected. (Success)";
    }

    private string Append(GmailFolder folder, string line, string octets)
    {
        var flags = Words(line);
        var date = Strings(line).ElementAtOrDefault(1) is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out var parsed) ? parsed : default;
        var uid = Account.Append(folder, octets, flags, date);
        return $"OK [APPENDUID {folder.UidValidity} {uid}] (Success)";
    }

    private string? Fetch(string set, string line)
    {
        foreach (var (sequence, uid, message) in Among(set).Select((m, i) => (i + 1, m.Uid, m.Message)).ToList())
        {
            var items = new StringBuilder($"X-GM-MSGID {message.Id} UID {uid}");
            if (line.Contains("X-GM-LABELS", StringComparison.Ordinal))
                items.Append(" X-GM-LABELS (").AppendJoin(' ', message.Labels.Where(l => l != selected!.Label).Select(Quote)).Append(')');
            if (line.Contains("FLAGS", StringComparison.Ordinal))
                items.Append(CultureInfo.InvariantCulture, $" FLAGS ({string.Join(' ', message.Flags)})");
            if (line.Contains("RFC822.SIZE", StringComparison.Ordinal))
                items.Append(CultureInfo.InvariantCulture, $" RFC822.SIZE {message.Octets.Length} INTERNALDATE \"{message.Date:dd-MMM-yyyy HH:mm:ss} +0000\"");
            if (Section().Match(line) is { Success: true } match)
            {
                var section = match.Groups["section"].Value;
                var body = section.Length == 0 ? message.Octets : message.Octets[..(message.Octets.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)];
                if (section.Length == 0 && (server.ReadBudget -= body.Length) < 0)
                    return null;
                items.Append(CultureInfo.InvariantCulture, $" BODY[{section}] {{{body.Length}}}\r\n{body}");
            }

            output.Append(CultureInfo.InvariantCulture, $"* {sequence} FETCH ({items})\r\n");
        }

        return Ok();
    }

    private string Store(string set, string item, string line)
    {
        var add = item[0] == '+';
        if (!item.EndsWith("X-GM-LABELS", StringComparison.Ordinal))
        {
            var flags = Words(line);
            return OnMessages(set, m => Account.Change(() => Apply(m.Flags, flags, add)));
        }

        var labels = Strings(line);
        return labels.Any(server.RefusedLabels.Contains) ? "NO [CANNOT] Invalid label (Failure)" : OnMessages(set, m => Account.Change(() => Apply(m.Labels, labels, add)));
    }

    private static void Apply(HashSet<string> names, IReadOnlyList<string> changes, bool add)
    {
        if (add)
            names.UnionWith(changes);
        else
            names.ExceptWith(changes);
    }

    private List<(uint Uid, GmailMessage Message)> Among(string set)
    {
        var ranges = set.Split(',').Select(r => r.Split(':')).Select(r => (First: Number(r[0]), Last: Number(r[^1]))).ToList();
        return [.. selected!.Messages.Where(m => ranges.Exists(r => m.Key >= r.First && m.Key <= r.Last)).Select(m => (m.Key, m.Value))];

        static uint Number(string text) => text == "*" ? uint.MaxValue : uint.Parse(text, CultureInfo.InvariantCulture);
    }

    private static string[] Words(string line) => Parenthesis().Match(line).Groups["words"].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private static List<string> Strings(string line) =>
        [.. Quoted().Matches(line).Select(m => m.Groups["text"].Value.Replace("\\\\", "\\", StringComparison.Ordinal).Replace("\\\"", "\"", StringComparison.Ordinal))];

    private static string Quote(string label) =>
        "\"" + label.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal) + "\"";

    private async Task<(string Line, IReadOnlyList<string> Literals)?> ReadCommandAsync(CancellationToken cancellationToken)
    {
        var line = "";
        var literals = new List<string>();
        while (true)
        {
            if (await ReadLineAsync(cancellationToken) is not { } part)
                return null;
            var literal = LiteralEnd().Match(part);
            if (!literal.Success)
                return (line + part, literals);
            line += part[..literal.Index] + "{}";
            if (literal.Groups["plus"].Length == 0)
                await SendAsync("+ go ahead\r\n", cancellationToken);
            var octets = new byte[int.Parse(literal.Groups["octets"].Value, CultureInfo.InvariantCulture)];
            await stream.ReadExactlyAsync(octets, cancellationToken);
            literals.Add(Encoding.Latin1.GetString(octets));
        }
    }

    private async Task<string?> ReadLineAsync(CancellationToken cancellationToken)
    {
        var line = new StringBuilder();
        var octet = new byte[1];
        while (await stream.ReadAsync(octet, cancellationToken) == 1)
        {
            if (octet[0] == '\n')
                return line.ToString().TrimEnd('\r');
            line.Append((char)octet[0]);
        }

        return null;
    }

    private async Task SendAsync(string text, CancellationToken cancellationToken) =>
        await stream.WriteAsync(Encoding.Latin1.GetBytes(text), cancellationToken);

    [GeneratedRegex(@"\((?<words>[^()]*)\)", RegexOptions.None, 60_000)]
    private static partial Regex Parenthesis();

    [GeneratedRegex(@"BODY\.PEEK\[(?<section>[A-Z]*)\]", RegexOptions.None, 60_000)]
    private static partial Regex Section();

    [GeneratedRegex("\"(?<text>(?:[^\"\\\\]|\\\\.)*)\"", RegexOptions.None, 60_000)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"\{(?<octets>\d+)(?<plus>\+?)\}$", RegexOptions.None, 60_000)]
    private static partial Regex LiteralEnd();
}
