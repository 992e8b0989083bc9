using Imapsync.Engine.Checking;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Verifying;

namespace Imapsync.Engine.Tests.Copying;

/// <summary>A source and a target in memory, real state in files, and a way to run the job between them.</summary>
internal sealed class MailboxFixture : IDisposable
{
    public MemoryStore Source { get; } = new();

    public MemoryStore Target { get; } = new() { NextValidity = 5000 };

    public string StateDirectory { get; } = Directory.CreateTempSubdirectory("imapsync-copying-").FullName;

    public JobDefinition Job { get; set; }

    public List<JobEvent> Events { get; } = [];

    public Action<JobEvent> OnEvent { get; set; } = _ => { };

    public static Task<CheckpointStore> OnDisk(string directory, bool readOnly, CancellationToken cancellationToken) =>
        CheckpointStore.OpenAsync(directory, TimeProvider.System, readOnly, cancellationToken);

    public TimeProvider Time { get; set; } = new ImpatientTime();

    public CancellationToken Stop { get; set; }

    public CancellationToken Abort { get; set; } = TestContext.Current.CancellationToken;

    public StateOpener OpenState { get; set; } = FileMedium.Opener(TimeProvider.System);

    public MailboxFixture() => Job = new JobDefinition("job", new MaildirEndpoint("/source"), new MaildirEndpoint("/target"))
    {
        StateDirectory = StateDirectory,
    };

    public async Task<JobReport> RunAsync(bool dryRun = false, bool heal = false)
    {
        Events.Clear();
        var runner = new JobRunner(Time, Opener, OpenState);
        return await runner.RunAsync(Job, new RunOptions(dryRun, heal), Tell, Stop, Abort);
    }

    /// <summary>Opens the target; set by tests that keep the target elsewhere than in memory.</summary>
    public TargetOpener? OpenTarget { get; set; }

    /// <summary>Opens the source; set by tests that keep the source elsewhere than in memory.</summary>
    public SourceOpener? OpenSource { get; set; }

    private StoreOpener Opener => new(
        (endpoint, context, cancellationToken) => OpenSource?.Invoke(endpoint, context, cancellationToken) ?? Task.FromResult<IMessageStore>(Source.Open()),
        (endpoint, forWriting, context, cancellationToken) => OpenTarget?.Invoke(endpoint, forWriting, context, cancellationToken) ?? Task.FromResult(Target.Open()));

    public Task<AccountCheck> CheckAsync() =>
        new CheckRunner(Time, Opener).RunAsync(Job, withSizes: false, _ => { }, TestContext.Current.CancellationToken);

    /// <summary>Verifies the job and asserts that this changed nothing and that the counts match the findings.</summary>
    public async Task<VerifyReport> VerifyAsync(VerifyOptions options)
    {
        var before = Describe(Source) + Describe(Target);
        var told = new List<Finding>();
        var report = await new VerifyRunner(new ImpatientTime(), Opener, OpenState).RunAsync(
            Job, options, Events.Add, told.Add, CancellationToken.None, TestContext.Current.CancellationToken);
        Assert.Equal(before, Describe(Source) + Describe(Target));
        Assert.Equal(told, report.Findings);
        Assert.All(Enum.GetValues<FindingKind>(), k => Assert.Equal(told.Count(f => f.Kind == k), report.Counts[k]));
        Assert.Equal(told.Count(f => !f.IsInformation), report.Counts.Differences);
        return report;
    }

    /// <summary>
    /// Returns each folder with its messages, flags and dates as sorted text, which is equal for two mailboxes with the same mail.
    /// </summary>
    public static string Describe(MemoryStore store) => string.Join('\n', store.Folders.OrderBy(f => f.Key).Select(f =>
        $"{f.Key}\n" + string.Join('\n', f.Value.Messages
            .Select(m => $"  {System.Text.Encoding.Latin1.GetString(m.Octets).Replace("\r\n", "|", StringComparison.Ordinal)} ({m.Flags}) {m.Date:O}")
            .Order(StringComparer.Ordinal))));

    public static string Mail(string id, string body = "text") =>
        $"From: a@example.org\r\nMessage-ID: <{id}@example.org>\r\nSubject: {id}\r\n\r\n{body}\r\n";

    public void DeleteCheckpoints() => Directory.Delete(StateDirectory, recursive: true);

    public void Dispose()
    {
        if (Directory.Exists(StateDirectory))
            DeleteCheckpoints();
    }

    private void Tell(JobEvent happened)
    {
        Events.Add(happened);
        OnEvent(happened);
    }

    /// <summary>A clock whose timers are due at once, so back-off takes no time.</summary>
    private sealed class ImpatientTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime == Timeout.InfiniteTimeSpan ? dueTime : TimeSpan.Zero, period);
    }
}
