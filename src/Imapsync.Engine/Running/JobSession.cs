using Imapsync.Engine.Files;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.Retrying;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Limits;

namespace Imapsync.Engine.Running;

/// <summary>The start and end of every job, whether it copies or verifies: opens stores with retries, and reports what ended the job.</summary>
internal sealed class JobSession(TimeProvider time, StoreOpener openStore, StateOpener openState)
{
    private readonly HostCircuits circuits = new(time);
    private readonly StoreLimits limits = new(time);
    private readonly HostPlaces hosts = new();

    /// <param name="isComplete">True if the job reported no problem and, if it is a verification, found no difference.</param>
    public static JobOutcome OutcomeOf(StopReason reason, bool isComplete) => reason switch
    {
        StopReason.None => isComplete ? JobOutcome.Ok : JobOutcome.Incomplete,
        StopReason.DeletionLimit or StopReason.Limit => JobOutcome.Incomplete,
        StopReason.Cancelled => JobOutcome.Cancelled,
        _ => JobOutcome.Failed,
    };

    /// <summary>Runs the job's work. Turns any exception into a problem of the report and a stop reason.</summary>
    public async Task<StopReason> GuardAsync(JobDefinition job, JobReporter report, Func<Task<StopReason>> work, CancellationToken giveUp)
    {
        try
        {
            return await work();
        }
        catch (OperationCanceledException) when (giveUp.IsCancellationRequested)
        {
            return StopReason.Cancelled;
        }
        catch (CheckpointLockedException e)
        {
            return Fail(report, StopReason.Locked, Reasons.Locked, e.Message);
        }
        catch (Exception e) when (e is CheckpointException or CheckpointVersionException)
        {
            return Fail(report, StopReason.Other, Reasons.State, e.Message);
        }
        catch (MailException e)
        {
            return e.Kind switch
            {
                FailureKind.Connect => Fail(report, StopReason.Connect, Reasons.Connect, e.Message),
                FailureKind.Authentication => Fail(report, StopReason.Authentication, Reasons.Authentication, e.Message),
                FailureKind.Configuration => Fail(report, StopReason.Configuration, Reasons.Configuration, e.Message),
                FailureKind.Limit => Fail(report, StopReason.Limit, Reasons.Limit, e.Message),
                FailureKind.Quota => Fail(report, StopReason.Other, Reasons.Quota, e.Message),
                _ => Fail(report, StopReason.Other, Reasons.Failed, e.Message),
            };
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            return Fail(report, StopReason.Other, Reasons.File, FileErrors.Explain(e));
        }
        catch (Exception e)
        {
            // An unexpected exception is a bug or a broken machine. The report must still be written and say so.
            await using var state = openState(job.State);
            return Fail(report, StopReason.Other, Reasons.Unexpected, await DefectFile.KeepAsync(state, e, time.GetUtcNow()));
        }
    }

    /// <summary>Opens a source in the same way as a run, but without retries.</summary>
    public Task<IMessageStore> LookAtSourceAsync(Endpoint endpoint, ConnectionShare? share, Action<string> onNote, CancellationToken cancellationToken) =>
        openStore.OpenAsync(endpoint, ContextOfLook(share, onNote), cancellationToken);

    /// <summary>Opens a target in the same way as a run, but only for reading and without retries.</summary>
    /// <param name="held">See <see cref="StoreContext.MessagesHeld"/>.</param>
    public Task<ITargetStore> LookAtTargetAsync(Endpoint endpoint, ConnectionShare? share, Action<string> onNote, long held, CancellationToken cancellationToken) =>
        openStore.OpenTargetAsync(endpoint, forWriting: false, ContextOfLook(share, onNote) with { MessagesHeld = held }, cancellationToken);

    public RetryPipeline RetryFor(JobDefinition job, JobReporter report, StopRequest stopping) =>
        new(job.Retry, time, report, stopping.ReachLimit);

    /// <summary>
    /// Waits until the job may use a connection at each of its hosts that has a connection limit. The result must be disposed after the
    /// job's stores.
    /// </summary>
    /// <param name="isOffline">True if the source is not opened.</param>
    public async Task<HostEntry> EnterAsync(JobDefinition job, JobReporter report, CancellationToken giveUp, bool isOffline = false)
    {
        long since = 0;
        string? reason = null;
        var entry = await hosts.EnterAsync(
            isOffline ? null : (job.Source as ServerEndpoint)?.HostLimits,
            (job.Target as ServerEndpoint)?.HostLimits,
            why =>
            {
                (since, reason) = (time.GetTimestamp(), why);
                report.Tell(new Queued(job.Name, why));
            },
            giveUp);
        if (reason is not null)
            report.Waited(reason, time.GetElapsedTime(since));
        return entry;
    }

    /// <param name="remembers">
    /// Whether the source may write to the job's state. It records there what it can't write into the mailbox it reads, such as UIDs that
    /// it assigned.
    /// </param>
    public Task<IMessageStore> OpenSourceAsync(
        JobDefinition job, IStateMedium state, HostEntry entry, RetryPipeline retry, JobReporter report, StopRequest stopping, CancellationToken giveUp, bool remembers = false)
    {
        var context = ContextOf(entry.Source, stopping, report) with
        {
            OnUnread = (folder, reason, text) => report.Problem(new Problem(FailureScope.Folder, folder, null, reason, text)),
            MemoryDirectory = state.LocalDirectory("names"),
            MemoryIsReadOnly = !remembers,
        };
        return limits.OpenSourceAsync(
            job.Source, state, stopping.ReachLimit, () => retry.OpenStoreAsync(job.Source.Display, () => openStore.OpenAsync(job.Source, context, giveUp), giveUp), giveUp);
    }

    /// <param name="held">See <see cref="StoreContext.MessagesHeld"/>.</param>
    public Task<ITargetStore> OpenTargetAsync(
        JobDefinition job, IStateMedium state, bool forWriting, HostEntry entry, RetryPipeline retry, JobReporter report, StopRequest stopping, CancellationToken giveUp, long held = 0)
    {
        var context = ContextOf(entry.Target, stopping, report) with
        {
            Repair = forWriting && job.Repair,
            OnUnread = (folder, _, text) => report.Note(folder, text),
            MessagesHeld = held,
        };
        return limits.OpenTargetAsync(
            job.Target, state, stopping.ReachLimit, () => retry.OpenStoreAsync(job.Target.Display, () => openStore.OpenTargetAsync(job.Target, forWriting, context, giveUp), giveUp), giveUp);
    }

    private StoreContext ContextOf(ConnectionShare? share, StopRequest stopping, JobReporter report) => new(time, text => report.Note(null, text))
    {
        OnLimit = stopping.ReachLimit,
        Connecting = circuits.ConnectAsync,
        Share = share,
    };

    private StoreContext ContextOfLook(ConnectionShare? share, Action<string> onNote) =>
        new(time, onNote) { OnUnread = (_, _, text) => onNote(text), Connecting = circuits.ConnectAsync, Share = share };

    private static StopReason Fail(JobReporter report, StopReason stop, string reason, string text)
    {
        report.Problem(new Problem(FailureScope.Store, null, null, reason, text));
        return stop;
    }
}
