using System.Text;
using Imapsync.Engine.Mail;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>Compares every FETCH item of every message between Dovecot 2.3 and <c>imapsync serve</c> on the same Maildir.</summary>
public sealed class DovecotAgreementTests
{
    private static readonly string[] Items =
    [
        "FLAGS", "UID", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY", "BODYSTRUCTURE", "RFC822", "RFC822.HEADER", "RFC822.TEXT", "BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]",
        "BODY.PEEK[HEADER.FIELDS (FROM Subject X-None)]", "BODY.PEEK[HEADER.FIELDS.NOT (FROM DATE)]", "BODY.PEEK[]<0.10>", "BODY.PEEK[TEXT]<3.7>", "BODY.PEEK[]<5.100000000>", "BODY.PEEK[]<100000000.5>",
        .. from path in (string[])["1", "2", "3", "1.1", "2.1", "1.2", "1.1.1", "1.1.2", "2.2", "2.1.1", "1.1.1.1", "9"]
           from part in (string[])["", ".MIME", ".HEADER", ".TEXT", ".HEADER.FIELDS (SUBJECT)"]
           select $"BODY.PEEK[{path}{part}]",
    ];

    private const int ShownOfItem = 15;

    [Fact]
    public async Task Every_item_of_awkward_messages_is_what_Dovecot_says()
    {
        const int seed = 7;
        var messages = AwkwardMime.Messages().Concat(AwkwardMail.Messages().Where(m => m.Octets.Length < 1_000_000)).Concat(AwkwardMime.Grown(seed, 400)).ToList();
        var differences = await CompareAsync(messages);
        Assert.True(differences.Count == 0, $"{differences.Count} differences, seed {seed}\n{string.Join('\n', differences)}");
    }

    private static async Task<List<string>> CompareAsync(List<(string Name, byte[] Octets)> messages)
    {
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir.Create("source"));
        for (var i = 0; i < messages.Count; i++)
            mailbox.Add("INBOX", messages[i].Octets, MailGenerator.Date(i), i % 3 == 0 ? "S" : "FRab");
        await using var dovecot = await DovecotServer.StartAsync(dir["server"], new DovecotOptions { Maildir = dir["source"] });
        await dovecot.TakeOwnershipAsync(dir["source"]);
        await using var there = await RawImap.ConnectAsync(dovecot.Port, "alice", dovecot.Password);
        await there.OkAsync("EXAMINE INBOX");
        // imapsync serves a copy of the tree with Dovecot's UIDs, so that Dovecot can't change the served files.
        await Command.RunAsync("cp", ["-a", dir["source"], dir["copy"]]);
        await using var served = await ServedBackup.StartAsync(new MaildirEndpoint(dir["copy"]));
        await using var here = await served.ConnectAsync();
        await here.OkAsync("EXAMINE INBOX");

        var differences = new List<string>();
        foreach (var item in Items)
        {
            var count = 0;
            var expected = await there.FetchAsync("1:*", item);
            var actual = await here.FetchAsync("1:*", item);
            for (var i = 1; i <= messages.Count; i++)
            {
                // Only a server that tracks sessions, as Dovecot does, shows \Recent.
                var (theirs, ours) = (Text(expected, i).Replace(" \\Recent", "", StringComparison.Ordinal), Text(actual, i));
                // If a Message-ID field is folded after its name, Dovecot keeps the continuation line's leading space in the value.
                if (item is "ENVELOPE" or "BODY" or "BODYSTRUCTURE")
                    theirs = theirs.Replace("\" <", "\"<", StringComparison.Ordinal);
                // For a part with an empty body Dovecot returns the header without the line end in front of the boundary.
                if (item.Contains(".MIME", StringComparison.Ordinal) || item.Contains(".HEADER", StringComparison.Ordinal))
                    (theirs, ours) = (WithoutLineEnds(theirs), WithoutLineEnds(ours));
                if (theirs != ours && ++count <= ShownOfItem)
                    differences.Add($"{messages[i - 1].Name.ReplaceLineEndings("\\n")} {item}\n   Dovecot  {Short(theirs)}\n   here     {Short(ours)}");
            }
        }

        return differences;
    }

    private static string WithoutLineEnds(string text) => text.TrimEnd('"', '\r', '\n');

    private static string Text(Dictionary<int, Dictionary<string, string>> messages, int number) =>
        messages.TryGetValue(number, out var found) ? string.Join('\n', found.Select(f => $"{f.Key} {f.Value}")) : "(nothing)";

    private static string Short(string text)
    {
        var line = new StringBuilder(text).Replace("\r", "\\r").Replace("\n", "\\n").ToString();
        return line.Length > 700 ? $"{line[..700]}… {text.Length}" : line;
    }
}
