using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Stores.Emlx;
using Imapsync.Engine.Stores.ImapBackup;
using Imapsync.Engine.Stores.Mbox;
using Imapsync.Engine.Stores.Mh;
using Imapsync.Engine.Stores.Thunderbird;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores.MailFiles;

/// <summary>
/// Trees with random file names and contents, and folder names that differ only in spelling. Each file is copied as a message, or counted
/// in the report with the reason why it was left out.
/// </summary>
public sealed class NothingPassedOverTests
{
    private static readonly string[] Directories =
        ["INBOX", "Inbox", "inbox", "INBOX.mbox", "Inbox.mbox", "Work", "WORK", "Work.sbd", "Work.mbox", "Archive.SBD", "Messages", "Data", ".hidden", "Büro", "a.lock", "cur", "Mail", "ImapMail", "pop.example"];

    private static readonly string[] Files =
    [
        "INBOX", "Inbox", "inbox", "INBOX.mbox", "Inbox.mbox", "inbox.MBOX", "INBOX.imap", "Inbox.imap", "alone.imap", "1", "2", "03", "1234567890", ",4", "#5", "1.eml", "2.EML", "3.emlx", "4.partial.emlx", "notes.txt",
        ".hidden", ".5.eml", "mbox", "Work", "Work.msf", "draft~", "x.mbox.lock", "a\u00e9.eml", "folder.mbox", ".mbox", ".imap", ".eml", ".emlx",
    ];

    private static readonly int Rounds = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 300 : 12;

    /// <summary>The suffixes of files that mail programs store beside mail, as listed in docs/sources.md.</summary>
    private static readonly string[] BesideMail = [".msf", ".dat", ".html", ".sqlite", ".json", ".mab"];

    public static TheoryData<string> Kinds => ["eml", "emlx", "mh", "thunderbird", "imap-backup", "mbox"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_file_is_copied_or_counted_and_named(string kind)
    {
        var seed = Seeds.Next();
        for (var round = 0; round < Rounds; round++)
        {
            var random = new Random(seed + round);
            using var job = new SourceJob(place => kind switch
            {
                "eml" => new EmlEndpoint(place),
                "emlx" => new EmlxEndpoint(place),
                "mh" => new MhEndpoint(place),
                "thunderbird" => new ThunderbirdEndpoint(place),
                "imap-backup" => new ImapBackupEndpoint(place),
                _ => new MboxEndpoint(place),
            });
            var written = Fill(job, kind, random);

            var report = await job.RunAsync();

            var told = string.Join('\n', [job.Problems, .. job.Notes, .. report.Notes]);
            var copied = report.Totals.Copied + report.Totals.Failed;
            var counted = told.Split('\n').Distinct().Sum(Counted);
            var there = written.Select(f => Entry(kind, job.Source, f)).Where(f => f.Length > 0).Distinct().Count();
            Assert.True(copied + counted == there, $"{kind}, seed {seed + round}: {there} files, copied or failed {copied}, counted {counted}\n{string.Join('\n', written)}\n--\n{told}");
        }
    }

    /// <summary>
    /// Writes random files and returns their paths. Each contains one message in the store's format, unless its name says that it is no
    /// message.
    /// </summary>
    private static HashSet<string> Fill(SourceJob job, string kind, Random random)
    {
        var written = new HashSet<string>(StringComparer.Ordinal);
        // At least one message is always written, since a source without mail is refused.
        Add(kind switch { "eml" => "first.eml", "emlx" => "A.mbox/Messages/1.emlx", "mh" => "inbox/1", "imap-backup" => "A.mbox", "thunderbird" => "Mail/pop.example/A", _ => "A" });
        for (var i = random.Next(1, 25); i > 0; i--)
        {
            var depth = random.Next(4);
            var directories = Enumerable.Range(0, depth).Select(_ => Directories[random.Next(Directories.Length)]);
            Add(string.Join('/', directories.Append(Files[random.Next(Files.Length)])));
        }

        return written;

        void Add(string name)
        {
            var path = Path.Combine(job.Source, name);
            if (written.Contains(path) || Path.Exists(path) || IsBelowFile(job.Source, path) || BesideMail.Contains(Path.GetExtension(name)) || (kind is "mbox" or "thunderbird" && name.EndsWith(".emlx", StringComparison.Ordinal)))
                return;
            var message = $"Message-ID: <{written.Count}@x.example>\nSubject: {written.Count}\n\ntext {name}\n";
            var isMbox = kind is "mbox" or "thunderbird" or "imap-backup" && !name.EndsWith(".txt", StringComparison.Ordinal) && !name.EndsWith(".imap", StringComparison.Ordinal);
            var octets = Encoding.UTF8.GetByteCount(message);
            job.Write(name, kind == "emlx" && name.EndsWith(".emlx", StringComparison.OrdinalIgnoreCase) ? $"{octets}\n{message}" : isMbox ? $"From a@x.example Mon Jun 02 10:00:00 2025\n{message}\n" : message);
            written.Add(path);
        }
    }

    private static bool IsBelowFile(string root, string path)
    {
        for (var above = Path.GetDirectoryName(path)!; above.Length > root.Length; above = Path.GetDirectoryName(above)!)
        {
            if (File.Exists(above))
                return true;
        }

        return Directory.Exists(path);
    }

    /// <summary>Returns how many files a line of the report counts; 0 for a line that counts none.</summary>
    private static int Counted(string line) =>
        Regex.Match(line, ": ([0-9]+), /.* first$|([0-9]+) (?:is|are) not read: /") is { Success: true } match
            ? int.Parse(match.Groups[1].Value + match.Groups[2].Value, CultureInfo.InvariantCulture)
            : 0;

    /// <summary>
    /// Returns the path under which the report counts a left-out file: its own, or that of a directory left out as a whole. Empty for
    /// imap-backup's .imap file, which is read for flags.
    /// </summary>
    private static string Entry(string kind, string root, string file)
    {
        if (kind == "imap-backup" && Path.GetFileName(file) is [_, _, _, _, _, _, ..] name && name.EndsWith(".imap", StringComparison.Ordinal) && File.Exists(file[..^5] + ".mbox"))
            return "";
        var levels = Path.GetRelativePath(root, file).Split('/');
        if (kind == "thunderbird" && levels[0] is not ("Mail" or "ImapMail"))
            return levels[0];
        var whole = kind is "mbox" or "thunderbird" ? Array.FindIndex(levels, kind == "mbox" ? 0 : Math.Min(2, levels.Length), l => l[0] == '.' || l.EndsWith(".lock", StringComparison.Ordinal)) : -1;
        return whole < 0 ? file : string.Join('/', levels.Take(whole + 1));
    }
}
