using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Retrying;
using Imapsync.Engine.Running;
using Imapsync.Engine.Tests.Copying;
using Imapsync.Imap;
using Imapsync.Tests.Support;

namespace Imapsync.Engine.Tests.Retrying;

public sealed class HostCircuitTests
{
    private static readonly MailException Dead = new(FailureScope.Store, isTransient: true, "connection refused") { Kind = FailureKind.Connect };

    private readonly ManualClock clock = new();
    private readonly HostCircuits circuits;
    private int connects;

    public HostCircuitTests() => circuits = new HostCircuits(clock);

    [Fact]
    public async Task A_dead_host_is_left_alone_and_then_one_connection_tries_for_all()
    {
        for (var i = 0; i < 5; i++)
            Assert.Same(Dead, await Assert.ThrowsAsync<MailException>(FailAsync));
        var left = await Assert.ThrowsAsync<MailException>(FailAsync);
        Assert.Equal((FailureScope.Store, true, FailureKind.Connect, TimeSpan.FromSeconds(5)), (left.Scope, left.IsTransient, left.Kind, left.RetryAfter!.Value));
        Assert.Equal("connection refused: dead:993 is left alone for now, connections to it failed", left.Message);
        Assert.Equal(5, connects);

        // While one connection probes the host and has no answer yet, no other connection is tried.
        clock.Advance(TimeSpan.FromSeconds(5));
        var answer = new TaskCompletionSource();
        var probe = circuits.ConnectAsync("dead:993", () => answer.Task);
        await Assert.ThrowsAsync<MailException>(FailAsync);
        Assert.Equal(5, connects);
        answer.SetException(Dead);
        Assert.Same(Dead, await Assert.ThrowsAsync<MailException>(() => probe));
        Assert.Equal(TimeSpan.FromSeconds(10), (await Assert.ThrowsAsync<MailException>(FailAsync)).RetryAfter);

        clock.Advance(TimeSpan.FromSeconds(10));
        await circuits.ConnectAsync("dead:993", () => Task.CompletedTask);
        Assert.Same(Dead, await Assert.ThrowsAsync<MailException>(FailAsync));
    }

    [Fact]
    public async Task Who_is_kept_from_trying_reads_the_reason_and_not_the_account_that_met_with_it()
    {
        var refused = new ImapConnectionException(ConnectionFailure.Network, "dead:993 can't be reached: Connection refused") { Unreachable = "Connection refused" };
        var failure = new MailException(FailureScope.Store, true, "cannot connect to imaps://somebody@dead:993: Connection refused", refused) { Kind = FailureKind.Connect };
        for (var i = 0; i < 5; i++)
            await Assert.ThrowsAsync<MailException>(() => circuits.ConnectAsync("dead:993", () => Task.FromException(failure)));
        var left = await Assert.ThrowsAsync<MailException>(() => circuits.ConnectAsync("dead:993", () => Task.CompletedTask));
        Assert.Equal("Connection refused: dead:993 is left alone for now, connections to it failed", left.Message);
    }

    [Fact]
    public async Task Other_hosts_and_accounts_that_are_refused_for_their_own_reasons_do_not_count()
    {
        MailException[] own =
        [
            new(FailureScope.Store, isTransient: false, "NO [AUTHENTICATIONFAILED]") { Kind = FailureKind.Authentication },
            new(FailureScope.Store, isTransient: true, "NO Request is throttled") { RetryAfter = TimeSpan.FromMinutes(5) },
        ];
        foreach (var refusal in Enumerable.Repeat(own, 10).SelectMany(e => e))
            Assert.Same(refusal, await Assert.ThrowsAsync<MailException>(() => circuits.ConnectAsync("dead:993", () => Task.FromException(refusal))));
        for (var i = 0; i < 10; i++)
            await Assert.ThrowsAsync<MailException>(FailAsync);
        await circuits.ConnectAsync("good:993", () => Task.CompletedTask);
    }

    [Fact]
    public async Task Twenty_jobs_against_a_dead_host_make_few_connections_and_each_ends()
    {
        var runner = new JobRunner(new LeapingTime(), Openers.Both(OpenAsync));
        for (var i = 0; i < 20; i++)
        {
            using var state = new TempDir();
            var job = new JobDefinition($"job{i}", new MaildirEndpoint("/source"), new MaildirEndpoint("/target")) { StateDirectory = state.Path };
            var report = await runner.RunAsync(job, new RunOptions(), _ => { }, CancellationToken.None, TestContext.Current.CancellationToken);
            Assert.Equal((JobOutcome.Failed, StopReason.Connect), (report.Outcome, report.Stop));
        }

        // The first job tries six times and each other job once. Without the shared circuit breaker there would be 120 connections.
        Assert.InRange(connects, 6, 25);

        async Task<ITargetStore> OpenAsync(Endpoint endpoint, bool forWriting, StoreContext context, CancellationToken cancellationToken)
        {
            await context.Connecting("dead:993", () =>
            {
                connects++;
                return Task.FromException(Dead);
            });
            return new MemoryStore().Open();
        }
    }

    private Task FailAsync() => circuits.ConnectAsync("dead:993", () =>
    {
        connects++;
        return Task.FromException(Dead);
    });
}
