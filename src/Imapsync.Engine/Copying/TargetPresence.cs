using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Checks whether the messages stored in one target folder are still there. It lists the folder, because the checkpoint only shows what was
/// stored. Missing messages are reported. They are copied again only with <c>--heal</c>.
/// </summary>
/// <param name="folders">The target's folders as listed before the run.</param>
internal sealed class TargetPresence(JobContext context, PairKey key, TargetFolders folders)
{
    /// <summary>How many messages are read at a time to verify their recorded check sums.</summary>
    private const int ReadTogether = 50;

    private bool KeepsWhatItGets => context.Target.Traits.KeepsWhatItGets && !context.Job.IsRestore;

    /// <summary>
    /// With <c>--heal</c>: forgets stored messages that are missing from the target or differ from what was recorded of them, so that they
    /// are fetched again. Called before the pair is brought up to date.
    /// </summary>
    /// <param name="unsettle">
    /// Durably marks the pair as not up to date, so that no later run skips it because its counters are unchanged.
    /// </param>
    /// <returns>True if any message was forgotten.</returns>
    public async Task<bool> ForgetLostAsync(Func<CancellationToken, Task> unsettle, CancellationToken abort)
    {
        if (!context.Options.Heal || !KeepsWhatItGets || !folders.Exists(key.Target))
            return false;
        await using var folder = await OpenToHealAsync(abort);
        await using var checkpoint = await context.Checkpoints.OpenAsync(key, abort);
        // Nothing is done here if the folder was restored from an older copy, because its UIDs may belong to other mail. All messages of
        // the pair are then compared by their headers elsewhere, and missing ones are copied again.
        if (!SpeaksOf(checkpoint, folder) || UidMemory.DoubtTarget(checkpoint, null, folder.Status with { UidValidity = folder.LastingUidValidity }) is not null)
            return false;
        var there = new Dictionary<Uid, MessageInfo>();
        await foreach (var message in folder.ListAsync(new ListRequest(WithDateAndSize: true), abort))
            there[message.Uid] = message;
        // An adopted message was at the target already and not stored by this program. It is not marked as damaged, because damaged copies
        // may be removed.
        var unlike = (await TargetProof.FindUnlikeAsync(folder, Brought(checkpoint), there, context.Target.Traits.NotedFields, abort)).ToHashSet();
        var lost = Brought(checkpoint).Where(m => !there.ContainsKey(m.Target) || unlike.Contains(m.Target)).ToList();
        var damaged = new List<SettledMessage>();
        var known = Brought(checkpoint).Where(m => m.Checksum is not null && there.ContainsKey(m.Target)).OrderBy(m => m.Target).ToList();
        foreach (var group in known.Chunk(ReadTogether))
        {
            context.Stop.ThrowIfCancellationRequested();
            var contents = await MessageContents.ReadAsync(folder, [.. group.Select(m => there[m.Target])], withDigest: false, abort);
            var changed = await MessageContents.FindOthersAsync(
                folder, [.. group.Select(m => (there[m.Target], m.Checksum!.Value))], contents, context.Target.Traits.NotedFields, abort);
            damaged.AddRange(group.Where(m => changed.Contains(m.Target)));
        }

        if (lost.Count + damaged.Count == 0)
            return false;
        // Other mail that has got a recorded UID is not marked as a damaged copy. If the source has that mail as a new message, it is found
        // at the target and not copied again.
        var others = await FindOtherMailAsync(folder, checkpoint, damaged, abort);
        lost.AddRange(damaged.Where(m => others.Contains(m.Target)));
        damaged.RemoveAll(m => others.Contains(m.Target));
        var rotten = await FindRottenAsync(folder, checkpoint, there, lost, abort);
        await unsettle(abort);
        foreach (var message in lost.Concat(damaged))
            checkpoint.Forget(message.Source);
        // Without a MODSEQ the whole source folder is listed, including the unchanged messages that were forgotten here.
        checkpoint.SetSourceModSeq(null);
        // The damaged copies are marked in the same commit that drops the records. Otherwise a damaged copy without a record would be taken
        // as a good one, because of its header.
        foreach (var message in damaged)
            checkpoint.MarkDamaged(message.Target, message.Source);
        foreach (var (copy, message) in rotten)
            checkpoint.MarkDamaged(copy, message);
        await checkpoint.CommitAsync(abort);
        context.Report.Note(key.Source, $"fetched again, messages that are gone from the target: {lost.Count}, that are damaged there: {damaged.Count}");
        return true;
    }

    /// <summary>
    /// Compares messages that differ from their records with the source, and returns those that are other mail and not damaged copies.
    /// After the backup was restored from an older copy, other mail can get a UID that is recorded for a lost message.
    /// </summary>
    /// <returns>Target UIDs. A message whose original is no longer at the source can't be compared and is not included.</returns>
    private async Task<UidSet> FindOtherMailAsync(IMessageFolder folder, ICheckpoint checkpoint, List<SettledMessage> damaged, CancellationToken abort)
    {
        if (damaged.Count == 0)
            return new UidSet();
        await using var source = await context.Source.OpenAsync(key.Source, abort);
        if (!IsSourceOf(checkpoint, source))
            return new UidSet();
        var judged = await DamagedCopies.JudgeAsync(folder, source, damaged.DistinctBy(m => m.Target).ToDictionary(m => m.Target, m => m.Source), abort);
        return new UidSet(judged.Where(j => !j.Value).Select(j => j.Key));
    }

    private static bool IsSourceOf(ICheckpoint checkpoint, IMessageFolder source) =>
        !checkpoint.SourceValidity.IsNone && source.LastingUidValidity == checkpoint.SourceValidity;

    /// <summary>
    /// Finds damaged copies of lost messages under another UID than the recorded one. In an mbox, a damaged message gets a new UID, because
    /// messages are identified by their octets. With the same header and size, it would be taken as a good copy of the message to be
    /// fetched again.
    /// </summary>
    /// <returns>The copies' UIDs, each with the source UID of its message.</returns>
    private async Task<IReadOnlyList<(Uid Copy, Uid Message)>> FindRottenAsync(
        IMessageFolder folder, ICheckpoint checkpoint, Dictionary<Uid, MessageInfo> there, List<SettledMessage> lost, CancellationToken abort)
    {
        var checksums = lost.Where(m => m.Checksum is not null).GroupBy(m => m.Source).ToDictionary(g => g.Key, g => g.First().Checksum!.Value);
        var sizes = checksums.Values.Select(c => (long)c.Length).ToHashSet();
        var recorded = checkpoint.Messages.Select(m => m.Target).ToHashSet();
        var strangers = there.Values.Where(m => sizes.Contains(m.Size) && !recorded.Contains(m.Uid)).ToDictionary(m => m.Uid);
        if (strangers.Count == 0)
            return [];
        await using var source = await context.Source.OpenAsync(key.Source, abort);
        if (!IsSourceOf(checkpoint, source))
            return [];
        var messages = new Dictionary<Uid, MessageInfo>();
        await foreach (var message in source.ListAsync(new ListRequest(new UidSet(checksums.Keys), WithDateAndSize: true), abort))
            messages[message.Uid] = message;
        var headers = (await MessageRecognition.IdentifyAsync(source, messages, abort)).ToLookup(i => i.Header, i => i.Uid);
        var rotten = new List<(Uid, Uid)>();
        foreach (var copy in await MessageRecognition.IdentifyAsync(folder, strangers, abort))
        {
            List<Uid> alike = [.. headers[copy.Header].Where(m => checksums[m].Length == copy.Info.Size)];
            if (alike.Count > 0 && await HasOtherOctetsAsync(folder, copy.Info, [.. alike.Select(m => checksums[m])], abort))
                rotten.Add((copy.Uid, alike[0]));
        }

        return rotten;
    }

    private async Task<bool> HasOtherOctetsAsync(IMessageFolder folder, MessageInfo copy, IReadOnlyList<MessageChecksum> recorded, CancellationToken abort)
    {
        var contents = await MessageContents.ReadAsync(folder, [copy], withDigest: false, abort);
        foreach (var checksum in recorded)
        {
            if ((await MessageContents.FindOthersAsync(folder, [(copy, checksum)], contents, context.Target.Traits.NotedFields, abort)).Count == 0)
                return false;
        }

        return true;
    }

    /// <summary>Removes damaged copies whose message has been stored again. Called after the pair was brought up to date.</summary>
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
        var damaged = new UidSet((await DamagedCopies.JudgeAsync(folder, folder, replaced, abort)).Where(j => j.Value).Select(j => j.Key));
        if (!damaged.IsEmpty)
            await folder.RemoveAsync(damaged, trash: null, abort);
        foreach (var uid in replaced.Keys)
            checkpoint.ForgetDamaged(uid);
        await checkpoint.CommitAsync(abort);
    }

    /// <summary>Compares the folder with the records and reports missing messages.</summary>
    /// <param name="summary">The pair's summary according to its checkpoint; null if the next run has to scan the pair anyway.</param>
    /// <param name="isRemembered">
    /// True if the summary is from an earlier run. Its target counters are then those of a time when all messages were present.
    /// </param>
    /// <param name="brought">The messages recorded as stored; null to read them from the checkpoint.</param>
    /// <returns>The summary to save. If messages are missing, the summary makes the next run scan the pair again.</returns>
    public async Task<PairSummary?> CheckAsync(PairSummary? summary, bool isRemembered, FolderTally tally, CancellationToken abort, BroughtMessages? brought = null)
    {
        if (!KeepsWhatItGets)
            return summary;
        await using var folder = await context.Target.OpenAsync(key.Target, abort);
        var status = folder.Status with { UidValidity = folder.LastingUidValidity, Unseen = null };
        // With the same UIDNEXT and the same count, nothing was delivered and nothing was removed, so all messages are still present.
        if (isRemembered && summary?.Target is { } before && before with { Unseen = null } == status)
            return summary;
        if ((brought ?? await ReadCheckpointAsync(abort)) is not { } wanted || folder.LastingUidValidity.IsNone || wanted.Validity != folder.LastingUidValidity)
            return summary;
        var there = await ListAsync(folder, abort);
        var lost = wanted.Uids.Count(u => !there.Contains(u));
        if (lost == 0)
        {
            // The UIDs of mail delivered by others are provisional until the folder is next written to. So they must not raise the saved
            // UIDNEXT.
            return summary is null || folder.Status.UidValidity.IsNone ? summary : summary with { Target = status };
        }

        context.Report.Problem(new Problem(
            FailureScope.Folder, key.Source, null, Reasons.MissingAtTarget,
            $"{lost} messages that were copied are gone from {key.Target} at the target; run with --heal to fetch them again"));
        tally.Lose(lost);
        return summary is null ? null : summary with { Rules = PairSummary.Unsettled };
    }

    /// <summary>Returns the messages that the target should hold according to an open checkpoint.</summary>
    public static BroughtMessages BroughtBy(ICheckpoint checkpoint) => new(checkpoint.TargetValidity, [.. Brought(checkpoint).Select(m => m.Target)]);

    private async Task<BroughtMessages?> ReadCheckpointAsync(CancellationToken abort)
    {
        await using var checkpoint = await context.Checkpoints.OpenAsync(key, abort);
        return checkpoint.Condition == CheckpointCondition.Good ? BroughtBy(checkpoint) : null;
    }

    /// <summary>
    /// Opens the folder for reading. An incomplete folder (a part of its files is missing) can't be read, so it is then opened for writing,
    /// which repairs it.
    /// </summary>
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

    /// <summary>Returns the records of messages that the target should hold: copied or adopted ones with a known target UID.</summary>
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

/// <summary>
/// The UIDs in a target folder of the messages that the job has copied there, and the UIDVALIDITY under which they are valid.
/// </summary>
internal sealed record BroughtMessages(UidValidity Validity, IReadOnlyList<Uid> Uids);
