using System.Collections.Immutable;
using Imapsync.Engine.Configuration.Secrets;
using Imapsync.Engine.Discovery;
using Imapsync.Engine.History;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Stores;
using Imapsync.Tests.Support;

namespace Imapsync.CommandLine.Tests;

/// <summary>Runs command lines inside the test, with simulated jobs.</summary>
public abstract class CommandLineFixture : IDisposable
{
    internal const string Password = "hunter2-and-more";

    private readonly StringWriter output = new();
    private readonly StringWriter error = new();

    protected CommandLineFixture()
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("imapsync-cli-").FullName;
        JobFile = Write("jobs.yaml", $$"""
            jobs:
              - name: alice
                source: { url: imaps://alice@imap.example.com, password_env: ALICE_PASSWORD }
                target: { url: "maildir:backup/alice" }
              - name: bob
                source: { url: imaps://bob@imap.example.com, password: "{{Password}}" }
                target: { url: "mbox:backup/bob" }
            """);
    }

    protected string Directory { get; }

    protected string JobFile { get; }

    protected string Out => output.ToString();

    protected string Error => error.ToString();

    /// <summary>Simulates the run of a job.</summary>
    internal JobRun RunJob { get; set; } = (job, _, _, _, _) => Task.FromResult(Reports.Of(job.Name));

    internal Func<Endpoint, ITargetStore> OpenStore { get; set; } = endpoint => throw new MailException(FailureScope.Store, false, $"{endpoint.Display} refused");

    /// <summary>Used in place of <see cref="OpenStore"/> by tests that need real stores.</summary>
    internal StoreOpener? OpenRealStore { get; set; }

    /// <summary>Answers questions in place of a person; null if no person is present.</summary>
    internal LinePrompt? Ask { get; set; }

    internal SecretPrompt? Prompt { get; set; }

    internal DiscoveryOptions Discovery { get; set; } = new();

    /// <summary>Whether jobs keep a history.</summary>
    internal bool KeepsHistory { get; set; }

    /// <summary>A live terminal in place of the error output; null to collect the error output as text.</summary>
    internal TextWriter? Terminal { get; set; }

    internal async Task<int> InvokeAsync(params string[] args)
    {
        var surroundings = new HostContext
        {
            Out = output,
            Error = Terminal ?? error,
            IsLive = Terminal is not null,
            Environment = new Dictionary<string, string> { ["HOME"] = Directory, ["ALICE_PASSWORD"] = Password },
            OpenStore = OpenRealStore ?? Openers.Both((endpoint, forWriting, _, _) =>
            {
                Assert.False(forWriting, "check, folders and verify change nothing");
                return Task.FromResult(OpenStore(endpoint));
            }),
            Ask = Ask,
            Prompt = Prompt,
            Discovery = Discovery,
            HistoryOf = KeepsHistory ? directory => new JobHistory(directory, TimeProvider.System) : null,
            RunJob = (job, options, onEvent, stop, abort) => RunJob(job, options, onEvent, stop, abort),
        };
        return await CommandLineRoot.InvokeAsync(args, surroundings);
    }

    protected string Write(string name, string text)
    {
        var path = Path.Combine(Directory, name);
        File.WriteAllText(path, text);
        return path;
    }

    /// <summary>Writes a message into a Maildir, which is created if it does not exist.</summary>
    protected static void Deliver(string maildir, string id)
    {
        foreach (var name in (string[])["cur", "new", "tmp"])
            System.IO.Directory.CreateDirectory(Path.Combine(maildir, name));
        var path = Path.Combine(maildir, "cur", $"{id}:2,S");
        File.WriteAllText(path, $"Message-ID: <{id}@example.org>\nSubject: {id}\n\ntext\n");
        File.SetLastWriteTimeUtc(path, Reports.Start.UtcDateTime);
    }

    public void Dispose()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        GC.SuppressFinalize(this);
    }
}

internal static class Reports
{
    public static readonly DateTimeOffset Start = new(2026, 1, 31, 18, 0, 0, TimeSpan.Zero);

    public static JobReport Of(string name, JobOutcome outcome = JobOutcome.Ok, StopReason stop = StopReason.None, params ImmutableArray<Problem> problems) =>
        new(name, outcome, Start, Start.AddSeconds(12), new FolderCounts(), [], problems, []) { Stop = stop };

    public static JobReport Full()
    {
        var counts = new FolderCounts
        {
            SourceMessages = 10,
            Copied = 3,
            AlreadyPresent = 5,
            Adopted = 1,
            Skipped = 1,
            Failed = 1,
            FlagsUpdated = 2,
            Deleted = 4,
            Bytes = 4096,
        };
        return new JobReport("alice", JobOutcome.Incomplete, Start, Start.AddSeconds(12), counts,
            [new FolderReport(new FolderPath("Sent Items"), new FolderPath("Sent"), counts)],
            [new Problem(FailureScope.Message, new FolderPath("Sent Items"), 17, "refused", "over\u001b[2J quota"), new Problem(FailureScope.Store, null, null, "connect", "gone")],
            ["1 message was there already"])
        {
            Waited = TimeSpan.FromMinutes(5),
            Waits = [new Wait("over quota", TimeSpan.FromMinutes(5), Start.AddMinutes(5))],
        };
    }
}
