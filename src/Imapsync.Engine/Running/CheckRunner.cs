using Imapsync.Engine.Checking;
using Imapsync.Engine.Copying;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Engine.Stores;
using Imapsync.Engine.Stores.Labels;

namespace Imapsync.Engine.Running;

/// <summary>
/// Checks whether jobs would run: opens both stores as a run does, keeping to the connection limits of the hosts, and reads the lists of folders.
/// Changes nothing.
/// </summary>
public sealed class CheckRunner(TimeProvider time, StoreOpener openStore)
{
    private readonly StateOpener openState = FileMedium.Opener(time);
    private readonly JobSession entry = new(time, openStore, FileMedium.Opener(time));

    /// <param name="withSizes">Whether to add up message sizes, which requires listing every message.</param>
    /// <param name="onEvent">Called when the job has to wait for a free connection to a host.</param>
    public async Task<AccountCheck> RunAsync(JobDefinition job, bool withSizes, Action<JobEvent> onEvent, CancellationToken cancellationToken)
    {
        using var place = await entry.EnterAsync(job, new JobReporter(job.Name, time, onEvent), cancellationToken);
        var (source, sourceStore) = await OpenAsync(job.Source, note => entry.LookAtSourceAsync(job.Source, place.Source, note, cancellationToken), cancellationToken);
        await using var openSource = sourceStore;
        var (target, targetStore) = await OpenTargetAsync(job, place.Target, cancellationToken);
        await using var openTarget = targetStore;
        if (source.Failure is not null || target.Failure is not null)
            return new AccountCheck(job.Name, source, target, []);
        if (LabelViews.Describe(job, source.HasLabels, target.HasLabels) is { } labels)
            source = source with { Facts = [.. source.Facts, labels] };
        var problems = new List<string>();
        try
        {
            var check = new MailboxCheck(job, LabelViews.OfSource(job, sourceStore!), targetStore is null ? null : LabelViews.OfTarget(job, targetStore), withSizes);
            var size = await check.MeasureAsync(problems, cancellationToken);
            problems.AddRange(MailboxCheck.FindExcess(size, target.Facts));
            if (size.UnmatchedRules is { } unmatched)
                source = source with { Facts = [.. source.Facts, new StoreFact("note", unmatched, IsWarning: true)] };
            return new AccountCheck(job.Name, source, target, problems) { Size = size };
        }
        catch (MailException e)
        {
            return new AccountCheck(job.Name, source, target, [.. problems, e.Message]);
        }
    }

    /// <summary>
    /// Opens the target. A directory that does not exist yet or is empty is no failure, unless earlier runs stored mail there. A directory
    /// that can't be written is a failure.
    /// </summary>
    private async Task<(SideCheck, ITargetStore?)> OpenTargetAsync(JobDefinition job, ConnectionShare? share, CancellationToken cancellationToken)
    {
        var endpoint = job.Target;
        if (LocalTarget.WhyNotWritable(endpoint) is { } why)
            return Failed(why);
        if (endpoint.Place is null || job.IsRestore)
            return await LookAsync(held: 0);
        try
        {
            await using var checkpoints = await CheckpointStore.OpenAsync(openState(job.State), readOnly: true, cancellationToken);
            var held = await UnmountedTarget.CountHeldAsync(checkpoints, cancellationToken);
            if (held == 0 && LocalTarget.DirectoryToFill(endpoint) is { } fact)
                return (new SideCheck(endpoint, [fact], null), null);
            var (side, store) = await LookAsync(held);
            // A directory without any mail can't be opened for reading. A run would open it for writing, and then refuse it because the
            // mail of earlier runs is missing. So the check reports the failure of the run.
            if (held > 0 && side.Failure is { Kind: FailureKind.Gone })
                return (side with { Failure = UnmountedTarget.Failure(endpoint.Display, held) }, store);
            return (store is null ? side : side with { Failure = await FindMissingAsync(store, checkpoints, cancellationToken) }, store);
        }
        catch (Exception e) when (e is CheckpointException or CheckpointVersionException)
        {
            return Failed(e.Message);
        }

        Task<(SideCheck, ITargetStore?)> LookAsync(long held) =>
            OpenAsync(endpoint, note => entry.LookAtTargetAsync(endpoint, share, note, held, cancellationToken), cancellationToken);

        (SideCheck, ITargetStore?) Failed(string text) => (new SideCheck(endpoint, [], new MailException(FailureScope.Store, false, text)), null);
    }

    /// <summary>Returns why a run would refuse the target because the backup of earlier runs is missing there; null if it would not.</summary>
    private static async Task<MailException?> FindMissingAsync(ITargetStore target, CheckpointStore checkpoints, CancellationToken cancellationToken)
    {
        try
        {
            await UnmountedTarget.RefuseAsync(target, checkpoints, checkpoints.Summaries.Values, await target.ListFoldersAsync(cancellationToken), cancellationToken);
            return null;
        }
        catch (MailException e)
        {
            return e;
        }
    }

    private static async Task<(SideCheck, T?)> OpenAsync<T>(Endpoint endpoint, Func<Action<string>, Task<T>> look, CancellationToken cancellationToken)
        where T : class, IMessageStore
    {
        var notes = new List<StoreFact>();
        void Note(string text)
        {
            lock (notes)
                notes.Add(new StoreFact("note", text, IsWarning: true));
        }

        T? store = null;
        try
        {
            store = await look(Note);
            var facts = await store.DescribeAsync(cancellationToken);
            lock (notes)
                return (new SideCheck(endpoint, [.. facts, .. notes], null) { HasLabels = store.Traits.HasLabels }, store);
        }
        catch (Exception e)
        {
            if (store is not null)
                await store.DisposeAsync();
            if (e is MailException failure)
                return (new SideCheck(endpoint, [], failure), null);
            throw;
        }
    }
}
