using System.Globalization;
using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Eml;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>
/// Other programs deliver mail into a backup and remove their own mail. A run must not take this for a restore of an older copy, and still
/// removes copies of mail deleted at the source.
/// </summary>
public sealed class SharedBackupTests : IDisposable
{
    private readonly MailboxFixture box = new();
    private readonly TemporaryDirectory directory = new();
    private readonly Dictionary<int, string> theirs = [];

    public void Dispose()
    {
        box.Dispose();
        directory.Dispose();
    }

    [Theory]
    [InlineData("maildir", FlagPolicy.Once)]
    [InlineData("maildir", FlagPolicy.Exact)]
    [InlineData("mbox", FlagPolicy.Once)]
    [InlineData("mbox", FlagPolicy.Exact)]
    [InlineData("eml", FlagPolicy.Once)]
    [InlineData("eml", FlagPolicy.Exact)]
    public async Task Mail_of_others_never_looks_like_an_older_backup(string format, FlagPolicy flags)
    {
        var seed = Seeds.Next();
        var random = new Random(seed);
        box.Job = box.Job with
        {
            Target = format switch { "mbox" => new MboxEndpoint(directory.Path), "eml" => new EmlEndpoint(directory.Path), _ => new MaildirEndpoint(directory.Path) },
            Flags = flags,
            Deletions = DeletionPolicy.Mirror,
            DeletionLimit = new DeletionLimit(100, IsPercent: true),
        };
        box.OpenTarget = StoreRegistry.OpenTargetAsync;
        var inbox = box.Source.Folder("INBOX");
        inbox.Add(MailboxFixture.Mail("m0"));
        var next = 1;
        for (var round = 0; round < 40; round++)
        {
            if (random.Next(2) == 0)
                inbox.Add(MailboxFixture.Mail($"m{next++}"), random.Next(2) == 0 ? "" : "\\Seen");
            if (random.Next(2) == 0 && inbox.Messages.Count > 1)
                inbox.Remove(inbox.Messages[random.Next(inbox.Messages.Count)].Uid);
            var report = await box.RunAsync();
            Assert.True(report.Outcome == JobOutcome.Ok, $"seed {seed}, round {round}: {string.Join('\n', report.Problems)}");
            Assert.DoesNotContain(report.Notes, n => n.Contains("went back", StringComparison.Ordinal));
            var wanted = inbox.Messages.Select(m => Subject(Encoding.Latin1.GetString(m.Octets))).Concat(theirs.Keys.Select(n => $"t{n}")).Order(StringComparer.Ordinal);
            Assert.True(wanted.SequenceEqual(Held(format)), $"seed {seed}, round {round}: wanted {string.Join(' ', wanted)}, there {string.Join(' ', Held(format))}");
            if (random.Next(2) == 0)
                Deliver(format, next++);
            if (random.Next(3) == 0 && theirs.Count > 0)
                Take(format, theirs.Keys.ElementAt(random.Next(theirs.Count)));
        }
    }

    private string MboxFile => Path.Combine(directory.Path, "INBOX");

    private void Deliver(string format, int number)
    {
        var text = $"Subject: t{number}\nFrom: somebody@example.org\n\nby somebody else\n\n";
        if (format == "mbox")
        {
            theirs[number] = $"From somebody@example.org Sat Jan 31 18:00:00 2026\n{text}";
            File.AppendAllText(MboxFile, theirs[number]);
            return;
        }

        var name = string.Create(CultureInfo.InvariantCulture, $"{1_700_000_000 + number}.other.host");
        theirs[number] = format == "eml" ? Path.Combine(directory.Path, "INBOX", name + ".eml") : Path.Combine(directory.Path, "new", name);
        File.WriteAllText(theirs[number], text);
    }

    private void Take(string format, int number)
    {
        if (format == "mbox")
            File.WriteAllText(MboxFile, File.ReadAllText(MboxFile, Encoding.Latin1).Replace(theirs[number], "", StringComparison.Ordinal), Encoding.Latin1);
        else
            File.Delete(theirs[number]);
        theirs.Remove(number);
    }

    private List<string> Held(string format) => format == "mbox"
        ? [.. File.ReadAllText(MboxFile, Encoding.Latin1).Split("\nSubject: ").Skip(1).Select(t => t.Split('\n', '\r')[0]).Order(StringComparer.Ordinal)]
        : [.. (format == "eml" ? ["INBOX"] : new[] { "new", "cur" }).SelectMany(d => Directory.GetFiles(Path.Combine(directory.Path, d), format == "eml" ? "*.eml" : "*")).Select(f => Subject(File.ReadAllText(f))).Order(StringComparer.Ordinal)];

    private static string Subject(string text) => text[(text.IndexOf("Subject: ", StringComparison.Ordinal) + 9)..].Split('\n', '\r')[0];
}
