using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>Mail files of other programs, moved into a real Dovecot.</summary>
public sealed partial class FileSourceTests
{
    private static readonly DateTimeOffset Date = new(2025, 6, 3, 6, 9, 10, TimeSpan.Zero);

    /// <summary>A message as stored in a file, with LF line ends, and the folder and flags with which it must arrive.</summary>
    private sealed record Sample(string Folder, string Flags, byte[] Octets, bool HasDate);

    /// <summary>A mail program: how it stores a message in its directory, and how a damaged message looks.</summary>
    private abstract class Program
    {
        public abstract string Scheme { get; }

        public virtual string Url(string directory) => $"{Scheme}:{directory}";

        /// <summary>The folder names and flags that the program supports, each list separated by spaces.</summary>
        public abstract (string[] Folders, string[] Flags) Knows { get; }

        public virtual bool TakesAnyOctets => true;

        /// <summary>Further YAML lines of the job.</summary>
        public virtual string Rules => "";

        /// <param name="number">A different number for each message.</param>
        public abstract void Add(string directory, int number, Sample sample);

        /// <summary>Adds a damaged message, for which a run must report the reason; null if the format can't show damage.</summary>
        public virtual (string Reason, Action<string> Add)? Damage => null;

        protected static void Write(string path, byte[] octets)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(path, octets);
        }

        protected static void Append(string path, byte[] octets)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var file = new FileStream(path, FileMode.Append);
            file.Write(octets);
        }

        protected static byte[] Concat(string before, byte[] octets, string after = "") => [.. Encoding.Latin1.GetBytes(before), .. octets, .. Encoding.Latin1.GetBytes(after)];

        /// <summary>Returns the message with its "From " lines quoted, as in an mboxrd file.</summary>
        protected static byte[] Quoted(byte[] octets) => Encoding.Latin1.GetBytes(FromLine().Replace(Encoding.Latin1.GetString(octets), ">$0"));
    }

    private sealed class Eml : Program
    {
        public override string Scheme => "eml";

        public override (string[] Folders, string[] Flags) Knows => (["INBOX", "Work/Büro", "日本語"], [""]);

        public override (string Reason, Action<string> Add)? Damage => ("there is nothing in it", d => Write(Path.Combine(d, "Work/Büro/broken.eml"), []));

        public override void Add(string directory, int number, Sample sample) =>
            Write(Path.Combine(directory, sample.Folder == "INBOX" ? "" : sample.Folder, $"message {number}.eml"), sample.Octets);
    }

    private sealed class AppleMail : Program
    {
        public override string Scheme => "emlx";

        public override (string[] Folders, string[] Flags) Knows => (["INBOX", "Projekte/Büro", "日本語"], ["", "\\Seen", "\\Answered \\Seen", "\\Flagged", "$Forwarded \\Seen", "\\Draft"]);

        public override (string Reason, Action<string> Add)? Damage => ("it was cut off", d => Write(Path.Combine(d, "INBOX.mbox/Messages/9999.emlx"), "5000\nSubject: x\n\n"u8.ToArray()));

        public override void Add(string directory, int number, Sample sample)
        {
            (string Flag, int Bit)[] bits = [("\\Seen", 0), ("\\Answered", 2), ("\\Flagged", 4), ("\\Draft", 6), ("$Forwarded", 8)];
            var flags = bits.Where(b => sample.Flags.Split(' ').Contains(b.Flag)).Sum(b => 1L << b.Bit);
            var path = string.Join('/', sample.Folder.Split('/').Select(l => l + ".mbox"));
            Write(
                Path.Combine(directory, path, number % 2 == 0 ? "Messages" : "3F2504E0-4F89-11D3-9A0C-0305E82C3301/Data/1/Messages", $"{number}.emlx"),
                Concat(
                    $"{sample.Octets.Length,-10}\n", sample.Octets,
                    $"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\">\n<dict>\n\t<key>date-received</key>\n\t<integer>{Date.ToUnixTimeSeconds()}</integer>\n\t<key>flags</key>\n\t<integer>{flags}</integer>\n</dict>\n</plist>\n"));
        }
    }

    private sealed class Mh : Program
    {
        private readonly Dictionary<string, List<(int Number, string Flags)>> all = [];

        public override string Scheme => "mh";

        public override (string[] Folders, string[] Flags) Knows => (["INBOX", "Work/Büro", "日本語"], ["", "\\Seen", "\\Answered \\Seen", "\\Flagged", "\\Seen todo"]);

        public override (string Reason, Action<string> Add)? Damage => ("there is nothing in it", d => Write(Path.Combine(d, "inbox/9999"), []));

        public override void Add(string directory, int number, Sample sample)
        {
            var folder = sample.Folder == "INBOX" ? "inbox" : sample.Folder;
            Write(Path.Combine(directory, folder, $"{number}"), sample.Octets);
            if (!all.TryGetValue(folder, out var list))
                all.Add(folder, list = []);
            list.Add((number, sample.Flags));
            var lines = new StringBuilder();
            foreach (var (name, flag) in (ReadOnlySpan<(string, string)>)[("flagged", "\\Flagged"), ("replied", "\\Answered"), ("todo", "todo")])
                lines.Append(CultureInfo.InvariantCulture, $"{name}: {string.Join(' ', list.Where(m => m.Flags.Split(' ').Contains(flag)).Select(m => m.Number))}\n");
            lines.Append(CultureInfo.InvariantCulture, $"unseen: {string.Join(' ', list.Where(m => !m.Flags.Contains("\\Seen", StringComparison.Ordinal)).Select(m => m.Number))}\n");
            Write(Path.Combine(directory, folder, ".mh_sequences"), Encoding.ASCII.GetBytes(lines.ToString()));
        }
    }

    private sealed class Thunderbird : Program
    {
        public override string Scheme => "thunderbird";

        public override bool TakesAnyOctets => false;

        public override (string[] Folders, string[] Flags) Knows => (["INBOX", "Work/Büro", "日本語"], ["", "\\Seen", "\\Answered \\Seen", "\\Flagged", "$Forwarded \\Seen", "$label1 \\Seen work"]);

        public override void Add(string directory, int number, Sample sample)
        {
            var flags = sample.Flags.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var bits = (flags.Contains("\\Seen") ? 1 : 0) | (flags.Contains("\\Answered") ? 2 : 0) | (flags.Contains("\\Flagged") ? 4 : 0) | (flags.Contains("$Forwarded") ? 0x1000 : 0);
            var keys = string.Join(' ', flags.Where(f => f[0] != '\\' && f != "$Forwarded"));
            var levels = sample.Folder.Split('/');
            var path = Path.Combine([directory, "Mail", "pop.example.com", .. levels.SkipLast(1).Select(l => l + ".sbd"), levels[^1] == "INBOX" ? "Inbox" : levels[^1]]);
            Append(path, Concat($"From - Tue Jun 03 06:09:10 2025\nX-Mozilla-Status: {bits:x4}\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: {keys,-80}\n", Quoted(sample.Octets), "\n"));
            File.WriteAllText(path + ".msf", "// <!-- <mdb:mork:z v=\"1.4\"/> -->");
        }
    }

    private sealed class Takeout : Program
    {
        public override string Scheme => "takeout";

        public override bool TakesAnyOctets => false;

        public override (string[] Folders, string[] Flags) Knows => (["INBOX", "Work/Büro", "[Gmail]/All Mail"], ["", "\\Seen", "\\Flagged", "\\Flagged \\Seen"]);

        public override string Rules => "labels: folders\n";

        public override string Url(string directory) => $"takeout:{directory}/All mail Including Spam and Trash.mbox";

        public override void Add(string directory, int number, Sample sample) => Append(
            Path.Combine(directory, "All mail Including Spam and Trash.mbox"),
            Concat($"From {1693481513215678901 + number}@xxx Tue Jun 03 06:09:10 +0000 2025\n", Quoted(Labelled(sample)), "\n"));

        /// <summary>
        /// Returns the message with the header fields that Takeout puts before it. A run copies them as part of the message.
        /// </summary>
        public static byte[] Labelled(Sample sample)
        {
            var labels = string.Join(',', new[]
            {
                sample.Folder switch { "INBOX" => "Inbox", "[Gmail]/All Mail" => "Archived", var other => other },
                sample.Flags.Contains("\\Seen", StringComparison.Ordinal) ? "Opened" : "Unread",
                sample.Flags.Contains("\\Flagged", StringComparison.Ordinal) ? "Starred" : "",
            }.Where(l => l.Length > 0));
            return Concat($"X-GM-THRID: 169348151321567890\nX-Gmail-Labels: =?UTF-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(labels))}?=\n", sample.Octets);
        }
    }

    private sealed class ImapBackup : Program
    {
        private readonly Dictionary<string, string> all = [];

        public override string Scheme => "imap-backup";

        public override bool TakesAnyOctets => false;

        public override (string[] Folders, string[] Flags) Knows => (["INBOX", "Work/Büro", "日本語"], ["", "\\Seen", "\\Answered \\Seen", "\\Flagged", "$label1 \\Seen work"]);

        public override void Add(string directory, int number, Sample sample)
        {
            var path = Path.Combine(directory, sample.Folder);
            var offset = File.Exists(path + ".mbox") ? new FileInfo(path + ".mbox").Length : 0;
            Append(path + ".mbox", Concat("From a@x.example Tue Jun 03 06:09:10 +0000 2025\n", Quoted(sample.Octets), "\n"));
            var flags = string.Join(',', sample.Flags.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(f => $"\"{f.TrimStart('\\')}\""));
            var line = $"{{\"uid\":{number},\"offset\":{offset},\"length\":{new FileInfo(path + ".mbox").Length - offset},\"flags\":[{flags}]}}";
            all[path] = all.TryGetValue(path, out var before) ? before + "," + line : line;
            Write(path + ".imap", Encoding.UTF8.GetBytes($"{{\"version\":3,\"uid_validity\":1234,\"messages\":[{all[path]}]}}"));
        }
    }

    private static Program Create(string name) => name switch
    {
        "eml" => new Eml(),
        "Apple Mail" => new AppleMail(),
        "MH" => new Mh(),
        "Thunderbird" => new Thunderbird(),
        "imap-backup" => new ImapBackup(),
        _ => new Takeout(),
    };

    [Theory]
    [InlineData("eml")]
    [InlineData("Apple Mail")]
    [InlineData("MH")]
    [InlineData("Thunderbird")]
    [InlineData("imap-backup")]
    [InlineData("Takeout")]
    public async Task Octets_folders_flags_and_dates_arrive_once_and_what_comes_or_is_damaged_between_runs_is_told(string name)
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        var program = Create(name);
        using var dir = new TempDir();
        await using var server = await DovecotServer.StartAsync(dir["server"]);
        await using var lab = BackupLab.On(server);
        var source = dir.Create("source");
        lab.Endpoint = "url: " + program.Url(source);
        lab.Target = $"imap://bob@127.0.0.1:{server.Port}\n      tls_ca_file: {server.Authority.CaFile}\n      password_env: {BackupLab.PasswordVariable}";
        lab.Rules = program.Rules + "folders:\n  special_use: names\n";
        var samples = Samples(program, random).ToList();
        for (var i = 0; i < samples.Count; i++)
            program.Add(source, i + 1, samples[i]);

        var first = await lab.SucceedAsync();

        first.AddsUp();
        Assert.Equal(samples.Count, first.Total("copied"));
        await SameAsync(server, program, samples, $"seed {seed}");
        var second = await lab.SucceedAsync();
        Assert.Equal((0, samples.Count), (second.Total("copied"), second.Total("already_present")));

        samples.Add(Ordinary(program, random, 5000));
        program.Add(source, samples.Count, samples[^1]);
        var third = await lab.SucceedAsync();
        third.AddsUp();
        Assert.Equal(1, third.Total("copied"));
        await SameAsync(server, program, samples, $"seed {seed}");

        if (program.Damage is { } damage)
        {
            damage.Add(source);
            var fourth = await lab.RunAsync();
            Assert.Equal(3, fourth.Status);
            Assert.Equal(1, fourth.Total("failed"));
            fourth.AddsUp();
            Assert.Contains(fourth.Problems, p => p.Contains(damage.Reason, StringComparison.Ordinal));
            await SameAsync(server, program, samples, $"seed {seed}");
        }
    }

    private static IEnumerable<Sample> Samples(Program program, Random random)
    {
        for (var i = 0; i < 60; i++)
            yield return Ordinary(program, random, i);
        var awkward = AwkwardMail.Messages().Where(m => m.Octets.Length < 1_000_000);
        foreach (var (name, octets) in program.TakesAnyOctets ? awkward : awkward.Where(m => m.Name is "From lines" or "8-bit header" or "UTF-8 header" or "dots" or "long line" or "no Message-ID"))
            yield return new Sample(program.Knows.Folders[0], program.Knows.Flags[0], octets, HasDate: false);
    }

    private static Sample Ordinary(Program program, Random random, int number) => new(
        program.Knows.Folders[random.Next(program.Knows.Folders.Length)], program.Knows.Flags[random.Next(program.Knows.Flags.Length)],
        [.. "Received: from a by b; Tue, 03 Jun 2025 08:09:10 +0200\n"u8, .. MailGenerator.Message(number)], HasDate: true);

    private static async Task SameAsync(DovecotServer server, Program program, IReadOnlyList<Sample> expected, string because)
    {
        await using var probe = await ImapProbe.ConnectAsync(server, "bob");
        var there = (await probe.SnapshotAsync()).Folders.SelectMany(f => f.Value.Messages.Select(m => (Line: $"{f.Key} [{m.Flags}] {m.Digest}", m.InternalDate))).ToList();
        var wanted = expected.Select(s => (Line: $"{s.Folder} [{SnapshotMessage.Canonical(s.Flags.Split(' '))}] {Digest(program is Takeout ? Takeout.Labelled(s) : s.Octets)}", s.HasDate)).ToList();
        Assert.True(wanted.Select(w => w.Line).Order(StringComparer.Ordinal).SequenceEqual(there.Select(t => t.Line).Order(StringComparer.Ordinal)),
            $"{because}\nmissing: {string.Join('\n', wanted.Select(w => w.Line).Except(there.Select(t => t.Line)).Take(5))}\nunexpected: {string.Join('\n', there.Select(t => t.Line).Except(wanted.Select(w => w.Line)).Take(5))}\n{wanted.Count} {there.Count}");
        var dated = wanted.Where(w => w.HasDate).Select(w => w.Line).ToHashSet(StringComparer.Ordinal);
        Assert.All(there.Where(t => dated.Contains(t.Line)), t => Assert.Equal(Date, t.InternalDate.ToUniversalTime()));
    }

    private static string Digest(byte[] octets) => Convert.ToHexStringLower(SHA256.HashData(MaildirReader.WithCrLf(octets)));

    [GeneratedRegex("^>*From ", RegexOptions.Multiline, 60_000)]
    private static partial Regex FromLine();
}
