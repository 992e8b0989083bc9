using System.Security.Cryptography;
using System.Text.Json;
using Imapsync.Engine.Configuration;
using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Running;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Fences;
using Imapsync.Fleet.Listing;
using Imapsync.Fleet.SigningIn;
using Imapsync.Fleet.State;
using Imapsync.Fleet.Submitting;

namespace Imapsync.Fleet.Working;

/// <summary>Runs attempts and returns how they ended. An attempt whose lease has expired can write nothing any more.</summary>
internal sealed class AccountRunner
{
    private readonly AsyncLocal<Attempt?> current = new();
    private readonly BatchReader batches;
    private readonly StateTables states;
    private readonly SignIns signIns;
    private readonly AttemptDirectories directories;
    private readonly TimeProvider time;
    private readonly JobRunner runner;
    private readonly string worker;

    /// <param name="worker">The worker's name.</param>
    public AccountRunner(BatchReader batches, FleetStore store, AttemptDirectories directories, string worker, TimeProvider time)
    {
        (this.batches, states, this.directories, this.worker, this.time) = (batches, store.States, directories, worker, time);
        signIns = new SignIns(store.SignIns, batches.Seal, time);
        // One runner serves all accounts, so that facts learned about a host apply to each account of that host.
        runner = new JobRunner(time, Fence.Around(StoreRegistry.Opener, () => Current.Run.Require), OpenState);
    }

    private Attempt Current => current.Value ?? throw new InvalidOperationException("no account is at work here");

    /// <summary>Runs the attempt. Never throws for a failure of the job.</summary>
    public async Task<AttemptEnd> RunAsync(AccountAtWork run)
    {
        var account = run.Account;
        JobDefinition job;
        try
        {
            job = signIns.Join(batches.Rebuild(account), account.BatchName, account.Account, WriterOf(run));
            job = job.At(time.GetUtcNow()) with { State = new StateLocation(AttemptDirectories.KeyOf(job)) };
            current.Value = new Attempt(run, directories.FindOlder(job, time), job.Source.Place is null ? null : await directories.TakeAsync(job, run.Require));
        }
        catch (ConfigurationException e)
        {
            return Ended(account, AccountStatus.Failed, string.Join('\n', e.Errors.Take(3)));
        }
        catch (CryptographicException)
        {
            return Ended(account, AccountStatus.Failed, "the account can't be read with the keys of this worker: every process of a fleet needs the same --data directory");
        }
        catch (OperationCanceledException)
        {
            return Ended(account, AccountStatus.Due, "handed back");
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            return Again(account, $"its directory can't be used: {FileErrors.Explain(e)}", gotAnywhere: false);
        }

        return End(run, await runner.RunAsync(job, new RunOptions(), run.Show, run.Stop, run.Abort));
    }

    /// <summary>
    /// Returns the end of an attempt that failed by a bug. It counts as a failure, because otherwise the account would be tried for ever.
    /// </summary>
    public static AttemptEnd Broken(StartedAccount account, Exception defect) =>
        Again(account, $"a defect of imapsync-fleet, of which the worker's log tells more: {defect.Message}", gotAnywhere: false);

    private DatabaseState OpenState(StateLocation location)
    {
        var attempt = Current;
        // A part of a job, such as a restore, has a state of its own. Earlier versions kept no state for parts, so there is none to copy.
        return new DatabaseState(
            states, location, WriterOf(attempt.Run), time, attempt.Directory, location.Part is null ? attempt.Older : null);
    }

    private StateWriter WriterOf(AccountAtWork run) => new(run.Account.Account, run.Account.Attempt, worker, run.Require);

    private static AttemptEnd End(AccountAtWork run, JobReport report)
    {
        var account = run.Account;
        var problem = report.Problems.IsEmpty ? "" : $"{report.Problems[0].Folder?.ToString() ?? ""} {report.Problems[0].Text}".Trim();
        var end = (report.Outcome, report.Stop) switch
        {
            (JobOutcome.Cancelled, _) => Ended(account, AccountStatus.Due, run.Reason == EndReason.Drain ? "handed back by a worker that ends" : "stopped; what was copied is saved"),
            (JobOutcome.Ok, _) => Ended(account, AccountStatus.Done, $"done: {report.Totals.Copied} copied, {report.Totals.AlreadyPresent} in place already"),
            (_, StopReason.Limit) => Ended(account, AccountStatus.Due, $"goes on later: {problem}") with { DelayMilliseconds = (long)UntilNext(report).TotalMilliseconds },
            (_, StopReason.Locked) => Ended(account, AccountStatus.Due, problem) with { DelayMilliseconds = 30_000 },
            (JobOutcome.Incomplete, _) => Ended(account, AccountStatus.Incomplete, problem),
            (_, StopReason.Authentication or StopReason.Configuration or StopReason.DeletionLimit) => Ended(account, AccountStatus.Failed, problem),
            _ => Again(account, problem, report.Totals.Copied > 0),
        };
        return end with
        {
            Planned = Math.Max(report.PlannedMessages, run.Progress.Planned),
            Copied = report.Totals.Copied,
            Bytes = report.Totals.Bytes,
            Problems = report.Problems.Length,
            Report = JsonSerializer.Serialize(AccountReport.Of(report), AccountReport.Json),
        };
    }

    private static TimeSpan UntilNext(JobReport report)
    {
        var least = TimeSpan.FromMinutes(15);
        var asked = report.Waits.IsEmpty ? TimeSpan.Zero : report.Waits.Max(w => w.Until) - report.Finished;
        return asked > least ? asked : least;
    }

    private static AttemptEnd Ended(StartedAccount account, AccountStatus status, string text) =>
        new(account.Account, account.Attempt, status, 0, status == AccountStatus.Due ? account.Failures : 0, text);

    /// <summary>
    /// Ends an attempt, so that the next one follows after about half a minute. The delay doubles with each failure and varies at random.
    /// </summary>
    private static AttemptEnd Again(StartedAccount account, string problem, bool gotAnywhere)
    {
        var failures = gotAnywhere ? 1 : account.Failures + 1;
        if (failures >= FleetStore.MostFailures)
            return Ended(account, AccountStatus.Failed, problem) with { Failures = failures };
        var seconds = 30 * Math.Pow(2, failures - 1) * (0.75 + (Random.Shared.NextDouble() / 2));
        return Ended(account, AccountStatus.Due, $"is tried again: {problem}") with { Failures = failures, DelayMilliseconds = (long)(seconds * 1000) };
    }

    /// <param name="Older">The account's state as an earlier version of this program kept it; null if there is none.</param>
    /// <param name="Directory">The directory in which a source on a disk keeps the UIDs of its messages; null for another source.</param>
    private sealed record Attempt(AccountAtWork Run, OlderState? Older, string? Directory);
}
