using System.Globalization;
using Imapsync.Tests.Support;

namespace Imapsync.Bench.Cases;

/// <summary>Cases that measure a search for one message among many, with and without an index.</summary>
internal static class Finding
{
    private const string RareWord = "xylophone";

    /// <summary>The searches, each of which matches exactly one message.</summary>
    private static readonly (string What, string[] Arguments)[] Questions = [("a word", [RareWord]), ("a subject", ["--subject", RareWord])];

    public static async Task OneOfManyAsync(BenchLab lab, CaseResult result)
    {
        var mailbox = FirstCopies.Ordinary(lab);
        mailbox.Writer.Add("INBOX", System.Text.Encoding.ASCII.GetBytes($"Subject: a {RareWord}\n\nThe {RareWord}.\n"), MailGenerator.Date(1), "S");
        var job = lab["find.yaml"];
        await File.WriteAllTextAsync(job, $"jobs: [{{ name: alice, source: {{ url: 'mbox:nowhere' }}, target: {{ url: 'maildir:{mailbox.Directory}' }}, index: true, state: '{lab["find-state"]}' }}]\n");
        // A first search assigns UIDs to the messages, so that this is not part of the measured searches.
        await FindAsync(["--folder", "nowhere"], $"maildir:{mailbox.Directory}");
        result.Add("index, built", await FindAsync([RareWord], job, "alice"));
        for (var round = 0; round < lab.Options.Runs; round++)
        {
            foreach (var (what, arguments) in Questions)
            {
                result.Add($"index, {what}", await FindAsync(arguments, job, "alice"));
                result.Add($"scan, {what}", await FindAsync(arguments, $"maildir:{mailbox.Directory}"));
            }
        }

        static string MB(long octets) => string.Create(CultureInfo.InvariantCulture, $"{octets / 1e6:0}");
        static long Size(string directory) => Directory.EnumerateFiles(directory, "*", SearchOption.AllDirectories).Sum(f => new FileInfo(f).Length);
        result.Notes.Add($"{mailbox.Messages} messages, {MB(Size(mailbox.Directory))} MB; the index {MB(Size(Path.Combine(lab["find-state"], "index")))} MB.");

        Task<Measurement> FindAsync(IEnumerable<string> arguments, params string[] backup) =>
            Measurement.OfProcessAsync(lab[""], lab.Options.Program, ["find", .. backup, .. arguments, "--output", "ids"]);
    }
}
