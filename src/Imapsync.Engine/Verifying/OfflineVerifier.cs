using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Verifying;

/// <summary>
/// Compares a target folder with the checkpoint only: whether it has all recorded messages, with the recorded octets and flags.
/// </summary>
/// <param name="compared">Source UIDs whose contents have been compared, including by earlier attempts.</param>
internal sealed class OfflineVerifier(VerifyContext context, PairKey key, TargetUnderVerification target, UidSet compared)
{
    /// <returns>How many messages the checkpoint records.</returns>
    public async Task<long> RunAsync(CancellationToken abort)
    {
        await using var checkpoint = await context.Checkpoints.OpenAsync(key, abort);
        // An unknown UIDVALIDITY never counts as equal, not even to another unknown one.
        if (checkpoint.Condition == CheckpointCondition.Damaged
            || (target.Folder is { } there && (there.LastingUidValidity.IsNone || there.LastingUidValidity != checkpoint.TargetValidity)))
        {
            var why = checkpoint.Damage is { } damage
                ? $"the checkpoint was damaged ({damage})"
                : target.Folder!.LastingUidValidity.IsNone ? "the target tells no UIDVALIDITY"
                : $"UIDVALIDITY at the target changed from {checkpoint.TargetValidity} to {target.Folder.LastingUidValidity}";
            context.Report.Problem(new Problem(
                FailureScope.Folder, key.Target, null, Reasons.Record, $"{why}: what was recorded says nothing about this folder any more; verify it with the source"));
            // Without a valid checkpoint it is unknown which messages the job copied. So all count as copied, and none is extra.
            target.Claimed.UnionWith(target.Messages.All.Select(m => m.Uid));
            return 0;
        }

        var (matches, count) = Match(checkpoint);
        if (target.Folder is not null)
            await CompareAsync(matches, abort);
        return count;
    }

    private (List<MessageMatch> Matches, long Count) Match(ICheckpoint checkpoint)
    {
        var matches = new List<MessageMatch>();
        var (count, unknown) = (0L, 0);
        foreach (var known in checkpoint.Messages.Where(m => m.Settlement != Settlement.Skipped))
        {
            // A message that vanished from the source may have been removed from the target too, unless the job keeps such messages.
            var mayBeGone = known.Settlement == Settlement.Vanished && context.Job.Deletions != DeletionPolicy.Keep;
            if (known.Settlement == Settlement.Failed)
            {
                Add(FindingKind.Missing, known, "not at the target; the last run could not copy it");
            }
            else if (known.Target.IsNone)
            {
                unknown++;
                continue;
            }
            else if (target.Messages.TryGet(known.Target, out var there))
            {
                matches.Add(new MessageMatch(new MessageInfo(known.Source, known.Flags), there, known));
                if (FlagPolicyCheck.Check(context.Job.Flags, known.Flags, known.Flags, there.Flags) is { } flags)
                    Add(FindingKind.Flags, known, flags.Text, flags.IsInformation);
            }
            else if (!mayBeGone)
            {
                Add(FindingKind.Missing, known, $"it was UID {known.Target} at the target and is gone from there");
            }

            count++;
        }

        if (unknown > 0)
            context.Report.Note(key.Target, $"the target never said which UIDs these messages got, so only the source can verify them: {unknown}");
        return (matches, count);
    }

    private async Task CompareAsync(List<MessageMatch> matches, CancellationToken abort)
    {
        var sampled = matches.Where(m => context.Sample.Includes(m.Source.Uid)).ToList();
        var unrecorded = sampled.Count(m => m.Known!.Value.Checksum is null);
        if (unrecorded > 0)
            context.Report.Note(key.Target, $"no checksum was recorded of these messages, which verify --full does: {unrecorded}");
        foreach (var group in MessageMatch.Groups(sampled.Where(m => m.Known!.Value.Checksum is not null && !compared.Contains(m.Source.Uid))))
        {
            context.Stop.ThrowIfCancellationRequested();
            var contents = await MessageContents.ReadAsync(
                target.Folder!, [.. group.OrderBy(m => m.Target.Uid).Select(m => m.Target)], withDigest: false, abort);
            var noted = await NotedFieldsAsync([.. group.Where(m => contents.TryGetValue(m.Target.Uid, out var read) && read.IsNot(m.Known!.Value.Checksum))], abort);
            foreach (var match in group)
            {
                Compare(match.Known!.Value, contents.TryGetValue(match.Target.Uid, out var read) ? read : null, noted.GetValueOrDefault(match.Target.Uid));
                compared.Add(match.Source.Uid);
            }

            context.Report.Tell(new MessagesVerified(context.Job.Name, key.Source, group.Count));
        }
    }

    private async Task<Dictionary<Uid, MessageContents>> NotedFieldsAsync(List<MessageMatch> different, CancellationToken abort) =>
        different.Count == 0 || context.Noted is not { } fields
            ? []
            : await MessageContents.ReadAsync(target.Folder!, [.. different.OrderBy(m => m.Target.Uid).Select(m => m.Target)], withDigest: false, abort, fields);

    /// <param name="bare">The contents without the header fields that mail programs add, if the message was read in that way.</param>
    private void Compare(SettledMessage known, MessageContents? read, MessageContents bare)
    {
        if (read is not { } contents)
            Add(FindingKind.Missing, known, "gone from the target while it was verified");
        else if (contents.Failure is { } failure)
            Add(FindingKind.Unreadable, known, $"the target can't give it: {failure.Message}");
        else if (bare.Omitted is { Length: > 0 } && !bare.IsNot(known.Checksum))
            Add(FindingKind.Octets, known, ContentComparison.NotedText(bare.Omitted), isInformation: true);
        else if (bare.Omitted is { Length: > 0 } && contents.IsNot(known.Checksum))
            Add(FindingKind.Octets, known, $"its octets are not those that were copied; a mail program may have changed its notes in the header ({bare.Omitted}), which only the source can tell: verify it with the source");
        else if (contents.Length != known.Checksum!.Value.Length)
            Add(FindingKind.Octets, known, $"{known.Checksum.Value.Length} octets were copied, at the target are {contents.Length}");
        else if (contents.Crc != known.Checksum.Value.Crc)
            Add(FindingKind.Octets, known, $"its {contents.Length} octets are not those that were copied: checksum {contents.Crc:x8}, recorded {known.Checksum.Value.Crc:x8}");
    }

    private void Add(FindingKind kind, SettledMessage known, string text, bool isInformation = false) =>
        context.Findings.Add(kind, key.Source, key.Target, known.Source, known.Target, text, isInformation);
}
