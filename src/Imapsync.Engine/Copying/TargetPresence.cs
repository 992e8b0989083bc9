using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Whether what was brought to one target folder lies there still. The checkpoint knows what was brought; only the folder knows what is
/// there, and "in place" is said of nothing else. In an account, where its owner deletes, what is gone is told and stays gone.
/// </summary>
/// <param name="folders">What the target listed before the run.</param>
internal sealed class TargetPresence(JobContext context, PairKey key, TargetFolders folders)
{
    /// <summary>How many messages are read at a time to be held against their recorded check sums.</summary>
    private const int ReadTogether = 50;

    private bool KeepsWhatItGets => context.Target.Traits.KeepsWhatItGets && !context.Job.IsRestore;

    /// <summary>Before a pair is brought up to date, where healing is asked for: what is gone or is no longer what was recorded is forgotten, and so fetched again.</summary>
    /// <param name="unsettle">Makes known, durably, that the pair has to be looked at whatever its counters say: no later run may pass over what is forgotten here.</param>
    /// <returns>True where there is any.</returns>
    public async Task<bool> ForgetLostAsync(Func<CancellationToken, Task> unsettle, CancellationToken abort)
    {
        if (!context.Options.Heal || !KeepsWhatItGets || !folders.Exists(key.Target))
            return false;
        await using var folder = await OpenToHealAsync(abort);
        await using var checkpoint = await context.Checkpoints.OpenAsync(key, abort);
        // Put back from an older copy, its UIDs may be other mail's by now: it is matched again by identity, which heals as well.
        if (!SpeaksOf(checkpoint, folder) || UidMemory.DoubtTarget(checkpoint, null, folder.Status with { UidValidity = folder.LastingUidValidity }) is not null)
            return false;
        var there = new Dictionary<Uid, MessageInfo>();
        await foreach (var message in folder.ListAsync(new ListRequest(WithDateAndSize: true), abort))
            there[message.Uid] = message;
        var lost = Brought(checkpoint).Where(m => !there.ContainsKey(m.Target)).ToList();
        var damaged = new List<SettledMessage>();
        var known = Brought(checkpoint).Where(m => m.Checksum is not null && there.ContainsKey(m.Target)).OrderBy(m => m.Target).ToList();
        foreach (var group in known.Chunk(ReadTogether))
        {
            context.Stop.ThrowIfCancellationRequested();
            var contents = await MessageContents.ReadAsync(folder, [.. group.Select(m => there[m.Target])], withDigest: false, abort);
            var others = await MessageContents.FindOthersAsync(
                folder, [.. group.Select(m => (there[m.Target], m.Checksum!.Value))], contents, context.Target.Traits.NotedFields, abort);
            damaged.AddRange(group.Where(m => others.Contains(m.Target)));
        }

        if (lost.Count + damaged.Count == 0)
            return false;
        await unsettle(abort);
        foreach (var message in lost.Concat(damaged))
            checkpoint.Forget(message.Source);
        // What has not changed at the source is to be listed all the same, whatever counts come out alike.
        checkpoint.SetSourceModSeq(null);
        // In one commit: a damaged copy that is nobody's and not known as such would be taken for the message, by its header, when that is met again.
        foreach (var message in damaged)
            checkpoint.MarkDamaged(message.Target, message.Source);
        await checkpoint.CommitAsync(abort);
        context.Report.Note(key.Source, $"fetched again, messages that are gone from the target: {lost.Count}, that are damaged there: {damaged.Count}");
        return true;
    }

    /// <summary>After the pair was brought up to date: the damaged copies go whose message is in place anew.</summary>
    public async Task RemoveDamagedAsync(CancellationToken abort)
    {
        if (!KeepsWhatItGets)
            return;
        await using var folder = await context.Target.OpenForWritingAsync(key.Target, abort);
        await using var checkpoint = await context.Checkpoints.OpenAsync(key, abort);
        if (!SpeaksOf(checkpoint, folder))
            return;
        var there = await ListAsync(folder, abort);
        var replaced = new Dictionary<Uid, Uid>();
        foreach (var (old, source) in checkpoint.DamagedCopies)
        {
            if (checkpoint.TryGet(source, out var now) && now.Settlement is Settlement.Copied or Settlement.Adopted && now.Target != old && there.Contains(now.Target))
                replaced.Add(old, now.Target);
        }

        if (replaced.Count == 0)
            return;
        var damaged = await DamagedCopies.AmongAsync(folder, replaced, abort);
        if (!damaged.IsEmpty)
            await folder.RemoveAsync(damaged, trash: null, abort);
        foreach (var uid in replaced.Keys)
            checkpoint.ForgetDamaged(uid);
        await checkpoint.CommitAsync(abort);
    }

    /// <summary>Looks, and tells what is gone.</summary>
    /// <param name="summary">How the pair stands by what is remembered; null where the next run has to look again anyway.</param>
    /// <param name="isRemembered">It stands so since a run before: the target's counters in it are those that all was in place under.</param>
    /// <param name="brought">What the checkpoint says, where somebody just had it open.</param>
    /// <returns>How it stands in truth.</returns>
    public async Task<PairSummary?> CheckAsync(PairSummary? summary, bool isRemembered, FolderTally tally, CancellationToken abort, BroughtMessages? brought = null)
    {
        if (!KeepsWhatItGets)
            return summary;
        await using var folder = await context.Target.OpenAsync(key.Target, abort);
        var status = folder.Status with { UidValidity = folder.LastingUidValidity, Unseen = null };
        // Nobody delivered and as many are there: nobody took any.
        if (isRemembered && summary?.Target is { } before && before with { Unseen = null } == status)
            return summary;
        if ((brought ?? await ReadCheckpointAsync(abort)) is not { } wanted || folder.LastingUidValidity.IsNone || wanted.Validity != folder.LastingUidValidity)
            return summary;
        var there = await ListAsync(folder, abort);
        var lost = wanted.Uids.Count(u => !there.Contains(u));
        if (lost == 0)
        {
            // What others delivered has, until the folder is next written to, numbers for this look only: a UIDNEXT that is to be remembered does not count them.
            return summary is null || folder.Status.UidValidity.IsNone ? summary : summary with { Target = status };
        }

        context.Report.Problem(new Problem(
            FailureScope.Folder, key.Source, null, Reasons.MissingAtTarget,
            $"{lost} messages that were copied are gone from {key.Target} at the target; run with --heal to fetch them again"));
        tally.Lose(lost);
        return summary is null ? null : summary with { Rules = PairSummary.Unsettled };
    }

    /// <summary>What the source holds and the target has to, by a checkpoint that is open.</summary>
    public static BroughtMessages BroughtBy(ICheckpoint checkpoint) => new(checkpoint.TargetValidity, [.. Brought(checkpoint).Select(m => m.Target)]);

    private async Task<BroughtMessages?> ReadCheckpointAsync(CancellationToken abort)
    {
        await using var checkpoint = await context.Checkpoints.OpenAsync(key, abort);
        return checkpoint.Condition == CheckpointCondition.Good ? BroughtBy(checkpoint) : null;
    }

    /// <summary>A folder that lacks a part of itself can't be read; opened for writing it is made whole.</summary>
    private async Task<IMessageFolder> OpenToHealAsync(CancellationToken abort)
    {
        try
        {
            return await context.Target.OpenAsync(key.Target, abort);
        }
        catch (MailException e) when (e.Kind == FailureKind.Gone)
        {
            return await context.Target.OpenForWritingAsync(key.Target, abort);
        }
    }

    private static bool SpeaksOf(ICheckpoint checkpoint, IMessageFolder folder) =>
        checkpoint.Condition == CheckpointCondition.Good && !folder.LastingUidValidity.IsNone && checkpoint.TargetValidity == folder.LastingUidValidity;

    /// <summary>What the source holds and the target has to.</summary>
    private static IEnumerable<SettledMessage> Brought(ICheckpoint checkpoint) =>
        checkpoint.Messages.Where(m => m.Settlement is Settlement.Copied or Settlement.Adopted && !m.Target.IsNone);

    private static async Task<UidSet> ListAsync(IMessageFolder folder, CancellationToken abort)
    {
        var there = new UidSet();
        await foreach (var message in folder.ListAsync(new ListRequest(), abort))
            there.Add(message.Uid);
        return there;
    }
}

/// <summary>The UIDs at the target, under this UIDVALIDITY, of what was brought there.</summary>
internal sealed record BroughtMessages(UidValidity Validity, IReadOnlyList<Uid> Uids);
