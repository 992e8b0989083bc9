using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.Stores;
using Imapsync.Tests.Support;

namespace Imapsync.Servers.Tests;

/// <summary>
/// A Dovecot with a filled account that all tests of a class share and none changes. Each test has a target account of its own, and breaks
/// TLS connections to both accounts with proxies.
/// </summary>
public sealed class TlsLines : IAsyncLifetime
{
    private const string SourceUser = "alice";

    private readonly TempDir dir = new();
    private DovecotServer server = null!;

    public MailboxSnapshot Source { get; private set; } = null!;

    public int SourceBytes => (int)Source.Folders.Values.Sum(f => f.Messages.Sum(m => m.Length));

    public async ValueTask InitializeAsync()
    {
        server = await DovecotServer.StartAsync(dir["server"]);
        MailGenerator.Fill(server.MaildirOf(SourceUser), new MailboxPlan { Messages = 150, MedianBytes = 1500, MaxBytes = 60_000, AwkwardNames = true });
        await server.TakeOwnershipAsync(server.MaildirOf(SourceUser));
        await using var probe = await ImapProbe.ConnectAsync(server, SourceUser);
        Source = await probe.SnapshotAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        dir.Dispose();
    }

    /// <summary>
    /// Runs the job once through proxies with these rules. Asserts that it succeeds, that the target equals the source, and that another
    /// run has nothing to do.
    /// </summary>
    /// <returns>The faults that the proxies caused.</returns>
    public async Task<IReadOnlyList<FaultKind>> SurviveAsync(FaultRules source, FaultRules target, TimeProvider time, string because)
    {
        var user = "bob" + Guid.NewGuid().ToString("N")[..8];
        await using var sourceLine = FaultProxy.Start(server.TlsPort, source);
        await using var targetLine = FaultProxy.Start(server.TlsPort, target);
        var job = new JobDefinition(user, Account(sourceLine.Port, SourceUser), Account(targetLine.Port, user)) { StateDirectory = dir["state-" + user] };

        var report = await RunAsync(job, time);
        Assert.True(report.Outcome == JobOutcome.Ok, $"{because}: {report.Outcome}\n{string.Join('\n', report.Problems)}");
        await using (var probe = await ImapProbe.ConnectAsync(server, user))
            BackupLab.Same(Source, await probe.SnapshotAsync(), because);

        IReadOnlyList<FaultKind> faults = [.. sourceLine.Faults, .. targetLine.Faults];
        sourceLine.Rules = targetLine.Rules = new FaultRules();
        var next = await RunAsync(job, TimeProvider.System);
        Assert.True(next is { Outcome: JobOutcome.Ok, Totals: { Copied: 0, FlagsUpdated: 0 } }, $"{because}: the next run copied {next.Totals.Copied}");
        return faults;
    }

    private static Task<JobReport> RunAsync(JobDefinition job, TimeProvider time) =>
        new JobRunner(time, StoreRegistry.Opener).RunAsync(job, new RunOptions(), _ => { }, CancellationToken.None, CancellationToken.None);

    private ImapEndpoint Account(int port, string user) => new("127.0.0.1", port, TlsMode.Implicit, user)
    {
        Password = new KnownSecret(server.Password),
        TlsCaFile = server.Authority.CaFile,
    };
}
