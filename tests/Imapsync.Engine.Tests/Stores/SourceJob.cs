using System.Text;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Tests.Contracts;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Stores;

/// <summary>A job whose source is files that a test writes, and whose target is a Maildir.</summary>
internal sealed class SourceJob : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    /// <param name="endpoint">Creates the source's endpoint from the path of the source.</param>
    public SourceJob(Func<string, Endpoint> endpoint)
    {
        Definition = new JobDefinition("job", endpoint(Source), new MaildirEndpoint(Target)) { StateDirectory = Path.Combine(directory.Path, "state") };
    }

    public string Source => Path.Combine(directory.Path, "source");

    public string Target => Path.Combine(directory.Path, "target");

    public JobDefinition Definition { get; set; }

    public JobReport Report { get; private set; } = null!;

    public List<string> Notes { get; } = [];

    public string Problems => string.Join('\n', Report.Problems.Select(p => $"{p.Folder} {p.Reason} {p.Text}"));

    /// <summary>Writes a file below the source, as Latin-1.</summary>
    public string Write(string name, string text)
    {
        var path = Path.GetFullPath(Path.Combine(Source, name));
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text, Encoding.Latin1);
        return path;
    }

    public async Task<JobReport> RunAsync(bool heal = false)
    {
        var token = TestContext.Current.CancellationToken;
        Report = await new JobRunner(TimeProvider.System, StoreRegistry.Opener).RunAsync(
            Definition, new RunOptions(false, heal), e => { if (e is NoteRaised note) Notes.Add(note.Text); }, token, token);
        var t = Report.Totals;
        Assert.True(t.SourceMessages == t.Copied + t.AlreadyPresent + t.Skipped + t.Failed, Problems);
        return Report;
    }

    /// <summary>Runs the job and asserts that its outcome is <see cref="JobOutcome.Ok"/>.</summary>
    public async Task<JobReport> SucceedAsync()
    {
        await RunAsync();
        Assert.True(Report.Outcome == JobOutcome.Ok, Problems);
        return Report;
    }

    /// <summary>The messages at the target: folder, flags and digest of each, sorted.</summary>
    public IReadOnlyList<string> Arrived() =>
    [
        .. Folders().SelectMany(f => f.Messages.Select(m => $"{f.Name} [{m.Flags}] {m.Digest[..16]}")).Order(StringComparer.Ordinal),
    ];

    /// <summary>The line in <see cref="Arrived"/> for a message with these octets, which must have CRLF line ends.</summary>
    public static string Line(string folder, string flags, string octets) =>
        $"{folder} [{SnapshotMessage.Canonical(flags.Split(' ', StringSplitOptions.RemoveEmptyEntries))}] {Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.Latin1.GetBytes(octets)))[..16]}";

    public DateTimeOffset DateOf(string folder) => Assert.Single(Folders().First(f => f.Name == folder).Messages).InternalDate;

    private IEnumerable<(string Name, IReadOnlyList<SnapshotMessage> Messages)> Folders() =>
        !Directory.Exists(Target) ? [] : Directory.EnumerateDirectories(Target, ".*").Append(Target).Where(d => Directory.Exists(Path.Combine(d, "cur")))
            .Select(d => (d == Target ? "INBOX" : string.Join('/', Path.GetFileName(d)[1..].Split('.').Select(ModifiedUtf7.Decode)), (IReadOnlyList<SnapshotMessage>)[.. MaildirReader.Messages(d)]));

    public void Dispose() => directory.Dispose();
}
