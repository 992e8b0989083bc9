using System.Collections.Immutable;
using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Stores;
using Imapsync.Serving.Finding;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests.Serving;

/// <summary>However an index is damaged, a search with it finds the same messages as a search without one.</summary>
public sealed class FindIndexTests
{
    private static readonly string[] Words = ["grüße", "invoice", "Привет", "日本語", "needle", "a b", "lunch", "x@example", "report.pdf", "İstanbul", "ß"];

    [Fact]
    public async Task Of_any_mail_the_same_is_found_with_an_index_and_without_while_mail_comes_and_goes_and_the_index_is_damaged()
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir.Create("backup"));
        var files = new List<string>();
        var number = 0;
        foreach (var (_, octets) in AwkwardMail.Messages())
            files.Add(mailbox.Add("INBOX", octets, MailGenerator.Date(number++)));
        var rounds = Environment.GetEnvironmentVariable("IMAPSYNC_TESTS_LONG") == "1" ? 300 : 25;
        var found = 0;
        for (var round = 0; round < rounds; round++)
        {
            for (var n = random.Next(20); n > 0; n--)
                files.Add(mailbox.Add(random.Next(3) == 0 ? "Work/Büro" : "INBOX", Message(random), MailGenerator.Date(number++)));
            for (var n = random.Next(6); n > 0 && files.Count > 5; n--)
            {
                var at = random.Next(files.Count);
                File.Delete(files[at]);
                files.RemoveAt(at);
            }

            var harm = Harm(random, dir["index"]);
            for (var n = 0; n < 4; n++)
            {
                var query = Query(random);
                var scanned = await FindAsync(dir, query, withIndex: false);
                var indexed = await FindAsync(dir, query, withIndex: true);
                Assert.Equal($"seed {seed}, round {round}, {harm}, {query}\n{scanned}", $"seed {seed}, round {round}, {harm}, {query}\n{indexed}");
                found += scanned.Length == 0 ? 0 : 1;
            }
        }

        Assert.True(found > rounds, $"seed {seed}: {found} queries found something, which proves little");
    }

    [Fact]
    public async Task Mail_is_read_once_and_an_index_that_another_process_writes_or_that_can_not_be_written_is_done_without()
    {
        using var dir = new TempDir();
        var mailbox = new MaildirWriter(dir.Create("backup"));
        for (var i = 0; i < 30; i++)
            mailbox.Add("INBOX", Encoding.ASCII.GetBytes($"Subject: s{i}\n\n{(i == 7 ? "xylophone" : "body")}\n"), MailGenerator.Date(i));
        var query = new FindQuery { Body = "xylophone" };
        var read = new List<long>();
        var notes = new List<string>();
        Assert.Single(await FindAsync(dir, query, (_, all) => read.Add(all), notes.Add));
        Assert.Equal(30, read.Max());
        read.Clear();
        Assert.Single(await FindAsync(dir, query, (_, all) => read.Add(all), notes.Add));
        // According to the index only one message can match, so no other message is read.
        Assert.Equal(1, read.Max());
        Assert.Empty(notes);

        mailbox.Add("INBOX", "Subject: later\n\none xylophone more\n"u8, MailGenerator.Date(40));
        using (new FileStream(dir["index/lock"], FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            Assert.Equal(2, (await FindAsync(dir, query, (_, _) => { }, notes.Add)).Count);
        Assert.Contains("can't be kept up to date", Assert.Single(notes), StringComparison.Ordinal);

        Directory.Delete(dir["index"], recursive: true);
        await File.WriteAllTextAsync(dir["index"], "a file", TestContext.Current.CancellationToken);
        Assert.Equal(2, (await FindAsync(dir, query, (_, _) => { }, notes.Add)).Count);
        Assert.Equal(2, notes.Count);
    }

    [Fact]
    public async Task Runs_keep_the_index_of_a_job_up_to_date_and_find_asks_it()
    {
        await using var lab = await BackupLab.StartAsync(new MailboxPlan { Messages = 200, AwkwardMessages = true, AwkwardNames = true });
        await lab.SucceedAsync();
        var scanned = await FindAsync(lab, "invoice");
        Assert.False(Directory.Exists(Path.Combine(lab.StateDirectory, "index")));
        lab.Rules = "index: true";
        await lab.SucceedAsync();
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(lab.StateDirectory, "index"), "*.words"));
        Assert.Equal(scanned, await FindAsync(lab, "invoice"));
        // The index file of a folder that was deleted is deleted too.
        var files = Directory.GetFiles(Path.Combine(lab.StateDirectory, "index"), "*.words").Length;
        Directory.Delete(Path.Combine(lab.TargetDirectory, ".Work.Invoices"), recursive: true);
        await using (var probe = await lab.ConnectAsync())
            await probe.CommandAsync("DELETE Work/Invoices");
        lab.Rules = "index: true\nfolders: { exclude: ['Work/Invoices'] }";
        await lab.SucceedAsync();
        Assert.Equal(files - 1, Directory.GetFiles(Path.Combine(lab.StateDirectory, "index"), "*.words").Length);
        Assert.Equal(await FindAsync(lab, "meeting", "maildir"), await FindAsync(lab, "meeting"));
    }

    private static async Task<string> FindAsync(BackupLab lab, string word, string? by = null)
    {
        string[] backup = by is null ? [lab.JobFile, "alice"] : [$"{by}:{lab.TargetDirectory}"];
        await using var process = ImapsyncProcess.Start(lab.Dir.Create("home"), ["find", .. backup, word, "--output", "json"], lab.Environment);
        var result = await process.WaitAsync();
        Assert.True(result.Status == 0 && result.Output.Length > 0, result.ToString());
        return result.Output;
    }

    private static async Task<string> FindAsync(TempDir dir, FindQuery query, bool withIndex)
    {
        await using var store = await OpenAsync(dir);
        using var index = withIndex ? new BackupIndex(dir["index"], Assert.Fail) : null;
        var unread = new List<string>();
        var found = await new BackupFinder(store, (_, _) => { }, (id, why) => unread.Add($"not read: {id} {why}"), index: index).FindAsync(query, CancellationToken.None)
            .Select(m => $"{m.Id} {m.Received:O} {m.SizeBytes} {m.Subject} {m.From} {m.To} {m.Date} {m.MessageId} {string.Join(',', m.Attachments ?? [])}").ToListAsync();
        return string.Join('\n', found.Concat(unread));
    }

    private static async Task<List<FoundMessage>> FindAsync(TempDir dir, FindQuery query, Action<long, long> onProgress, Action<string> onNote)
    {
        await using var store = await OpenAsync(dir);
        using var index = new BackupIndex(dir["index"], onNote);
        return await new BackupFinder(store, onProgress, (_, _) => { }, index: index).FindAsync(query, CancellationToken.None).ToListAsync();
    }

    /// <summary>Damages an index file as a crash, a faulty disk or another program version may. Returns a description.</summary>
    private static string Harm(Random random, string directory)
    {
        var files = Directory.Exists(directory) ? Directory.GetFiles(directory, "*.words").Order(StringComparer.Ordinal).ToList() : [];
        var kind = random.Next(7);
        if (files.Count == 0 || kind > 4)
            return "unharmed";
        var file = files[random.Next(files.Count)];
        if (kind == 0)
        {
            File.Delete(file);
            return "deleted";
        }

        var octets = File.ReadAllBytes(file);
        if (octets.Length == 0)
            return "empty";
        var at = kind == 1 ? random.Next(Math.Min(24, octets.Length)) : random.Next(octets.Length);
        switch (kind)
        {
            case 3:
                octets = octets[..at];
                break;
            case 4:
                octets = [.. octets, .. octets[at..]];
                break;
            default:
                octets[at] ^= (byte)(1 << random.Next(8));
                break;
        }

        File.WriteAllBytes(file, octets);
        return $"harm {kind} at {at}";
    }

    private static FindQuery Query(Random random)
    {
        string? Maybe() => random.Next(4) == 0 ? Word(random) : null;
        return new FindQuery
        {
            Words = random.Next(3) > 0 ? [Word(random), .. random.Next(4) == 0 ? [Word(random)] : ImmutableArray<string>.Empty] : [],
            From = Maybe(),
            To = Maybe(),
            Subject = Maybe(),
            Body = Maybe(),
            HasAttachment = random.Next(6) == 0,
            Folders = random.Next(5) == 0 ? [new FolderGlob("Work/**")] : [],
        };
    }

    private static string Word(Random random)
    {
        var word = Words[random.Next(Words.Length)];
        return random.Next(3) switch { 0 => word.ToUpperInvariant(), 1 => word[random.Next(word.Length)..], _ => word };
    }

    private static byte[] Message(Random random)
    {
        var text = new StringBuilder();
        string Some() => string.Join(random.Next(3) == 0 ? "\n " : " ", Enumerable.Range(0, random.Next(4)).Select(_ => Words[random.Next(Words.Length)]));
        string Coded(string value) => random.Next(2) == 0 ? value : string.Join(' ', value.Split(' ').Select(w => $"=?utf-8?b?{Convert.ToBase64String(Encoding.UTF8.GetBytes(w))}?="));
        if (random.Next(10) > 0)
            text.Append("Subject: ").Append(Coded(Some())).Append('\n');
        if (random.Next(4) > 0)
            text.Append("From: ").Append(Coded(Some())).Append(" <x@example.org>\n");
        if (random.Next(2) > 0)
            text.Append(random.Next(2) == 0 ? "To: " : "Cc: ").Append(Some()).Append('\n');
        switch (random.Next(4))
        {
            case 0:
                text.Append("Content-Type: text/html; charset=utf-8\n\n<p>").Append(Some()).Append("</p><b>").Append(Some()).Append("</b>\n");
                break;
            case 1:
                text.Append("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n").Append(Some()).Append("\n--b\nContent-Type: application/pdf; name=report.pdf\n\n").Append(Some()).Append("\n--b--\n");
                break;
            case 2:
                text.Append("Content-Transfer-Encoding: base64\n\n").Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(Some()))).Append('\n');
                break;
            default:
                text.Append(random.Next(5) == 0 ? "" : "\n").Append(Some()).Append('\n');
                break;
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static Task<IMessageStore> OpenAsync(TempDir dir) => StoreRegistry.OpenAsync(
        new MaildirEndpoint(dir["backup"]), new StoreContext(TimeProvider.System, _ => { }) { MemoryDirectory = dir["memory"], MemoryIsReadOnly = false }, CancellationToken.None);
}
