using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Progress;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Verifying;

/// <summary>
/// Compares the contents of messages in groups, reading both sides at the same time: all octets by SHA-256, or only the headers. The size
/// of a group limits the memory.
/// </summary>
internal sealed class ContentComparison(
    VerifyContext context, PairKey key, IMessageFolder source, IMessageFolder target, ICheckpoint checkpoint, UidSet compared)
{
    /// <summary>Messages up to this many octets are read a second time to describe how they differ.</summary>
    private const int ExplainedBytes = 4 << 20;

    public async Task RunAsync(IEnumerable<MessageMatch> matches, CancellationToken abort)
    {
        foreach (var group in MessageMatch.Groups(matches.Where(m => context.Sample.Includes(m.Source.Uid) && !compared.Contains(m.Source.Uid))))
        {
            context.Stop.ThrowIfCancellationRequested();
            if (context.Options.Full)
                await CompareOctetsAsync(group, abort);
            else
                await CompareHeadersAsync(group, abort);
            foreach (var match in group)
                compared.Add(match.Source.Uid);
            context.Report.Tell(new MessagesVerified(context.Job.Name, key.Source, group.Count));
        }
    }

    private async Task CompareOctetsAsync(List<MessageMatch> group, CancellationToken abort)
    {
        var reading = (
            Source: MessageContents.ReadAsync(source, [.. group.Select(m => m.Source)], withDigest: true, abort),
            Target: MessageContents.ReadAsync(target, [.. group.OrderBy(m => m.Target.Uid).Select(m => m.Target)], withDigest: true, abort));
        await Task.WhenAll(reading.Source, reading.Target);
        var (here, there) = (await reading.Source, await reading.Target);
        var noted = await FindNotedAsync(
            [.. group.Where(m => here.TryGetValue(m.Source.Uid, out var a) && there.TryGetValue(m.Target.Uid, out var b) && Differ(a, b))], abort);
        foreach (var match in group)
        {
            // A message that has disappeared from the source during the verification has nothing to be compared with.
            if (!here.TryGetValue(match.Source.Uid, out var ours))
                continue;
            if (!there.TryGetValue(match.Target.Uid, out var theirs))
                Add(FindingKind.Missing, match, "gone from the target while it was verified");
            else if ((ours.Failure ?? theirs.Failure) is { } failure)
                Add(FindingKind.Unreadable, match, $"the {(ours.Failure is null ? "target" : "source")} can't give it: {failure.Message}");
            else if (noted.TryGetValue(match.Source.Uid, out var fields))
                Add(FindingKind.Octets, match, NotedText(fields), isInformation: true);
            else if (Differ(ours, theirs))
                Add(FindingKind.Octets, match, await ExplainAsync(match, ours, theirs, abort));
            else if (match.Known is { Checksum: null } known)
                checkpoint.Settle(known with { Checksum = ours.Checksum });
        }

        // The check sums of messages found equal are committed, so that they can later be verified without the source.
        await checkpoint.CommitAsync(abort);
    }

    /// <summary>
    /// Finds the messages that differ only in header fields which mail programs add, and returns the names of those fields by source UID.
    /// </summary>
    private async Task<Dictionary<Uid, string>> FindNotedAsync(List<MessageMatch> different, CancellationToken abort)
    {
        var noted = new Dictionary<Uid, string>();
        if (different.Count == 0 || context.Noted is not { } fields)
            return noted;
        var here = await MessageContents.ReadAsync(source, [.. different.Select(m => m.Source)], withDigest: true, abort, fields);
        var there = await MessageContents.ReadAsync(target, [.. different.OrderBy(m => m.Target.Uid).Select(m => m.Target)], withDigest: true, abort, fields);
        foreach (var match in different)
        {
            if (here.TryGetValue(match.Source.Uid, out var ours) && there.TryGetValue(match.Target.Uid, out var theirs)
                && (ours.Failure ?? theirs.Failure) is null && ours.Omitted.Length + theirs.Omitted.Length > 0 && !Differ(ours, theirs))
                noted[match.Source.Uid] = theirs.Omitted.Length > 0 ? theirs.Omitted : ours.Omitted;
        }

        return noted;
    }

    private static bool Differ(MessageContents a, MessageContents b) => a.Failure is null && b.Failure is null && (a.Digest != b.Digest || a.Length != b.Length);

    public static string NotedText(string fields) => $"the same but for what a mail program noted in the header: {fields}";

    private async Task<string> ExplainAsync(MessageMatch match, MessageContents ours, MessageContents theirs, CancellationToken abort)
    {
        var side = match.Known?.Checksum switch
        {
            null => "",
            var relayed when relayed == ours.Checksum => "changed at the target since it was copied; ",
            var relayed when relayed == theirs.Checksum => "changed at the source since it was copied; ",
            _ => "",
        };
        if (Math.Max(ours.Length, theirs.Length) > ExplainedBytes)
            return $"{side}{ours.Length} octets, at the target {theirs.Length}";
        var here = await MessageContents.ReadWholeAsync(source, match.Source, ExplainedBytes, abort);
        var there = await MessageContents.ReadWholeAsync(target, match.Target, ExplainedBytes, abort);
        return side + (here is null || there is null ? "the octets differ" : OctetDifference.Describe(here, there));
    }

    private async Task CompareHeadersAsync(List<MessageMatch> group, CancellationToken abort)
    {
        var reading = (
            Source: IdentifyAsync(source, group.Select(m => m.Source), abort),
            Target: IdentifyAsync(target, group.Select(m => m.Target), abort));
        await Task.WhenAll(reading.Source, reading.Target);
        var (here, there) = (await reading.Source, await reading.Target);
        foreach (var match in group)
        {
            if (!here.TryGetValue(match.Source.Uid, out var ours))
                continue;
            if (!there.TryGetValue(match.Target.Uid, out var theirs))
                Add(FindingKind.Missing, match, "gone from the target while it was verified");
            else if (ours.Header != theirs.Header && ours.Core != theirs.Core)
                Add(FindingKind.Octets, match, "another header: Message-ID, Date, From or Subject differ");
        }
    }

    /// <summary>
    /// Reports messages whose sizes differ. If the headers show that mail programs added fields, the difference is reported as information.
    /// </summary>
    public async Task CompareSizesAsync(IReadOnlyList<MessageMatch> other, CancellationToken abort)
    {
        foreach (var group in other.Chunk(MessageMatch.GroupMessages))
        {
            context.Stop.ThrowIfCancellationRequested();
            var fields = context.Noted;
            var here = fields is null ? [] : await NotedOctetsAsync(source, group.Select(m => m.Source), fields, abort);
            var there = fields is null ? [] : await NotedOctetsAsync(target, group.Select(m => m.Target), fields, abort);
            foreach (var match in group)
            {
                var ours = here.GetValueOrDefault(match.Source.Uid);
                var theirs = there.GetValueOrDefault(match.Target.Uid);
                var isNoted = ours.Count + theirs.Count > 0 && ours.Header == theirs.Header && match.Source.Size - ours.Count == match.Target.Size - theirs.Count;
                var text = isNoted ? NotedText(theirs.Count > 0 ? theirs.Fields : ours.Fields) : $"{match.Source.Size} octets, at the target {match.Target.Size}";
                Add(FindingKind.Octets, match, text, isInformation: isNoted);
            }
        }
    }

    private static async Task<Dictionary<Uid, (long Count, UInt128 Header, string Fields)>> NotedOctetsAsync(
        IMessageFolder folder, IEnumerable<MessageInfo> messages, IReadOnlyList<string> fields, CancellationToken abort)
    {
        var octets = new Dictionary<Uid, (long Count, UInt128 Header, string Fields)>();
        await foreach (var header in folder.ReadHeadersAsync(new UidSet(messages.Select(m => m.Uid)), abort))
        {
            var omission = new FieldOmission(fields);
            var kept = omission.Filter(header.Octets.Span);
            octets[header.Uid] = (header.Octets.Length - kept.Length, MessageFingerprint.Digest(kept), string.Join(", ", omission.Omitted));
        }

        return octets;
    }

    private static async Task<Dictionary<Uid, MessageFingerprint>> IdentifyAsync(
        IMessageFolder folder, IEnumerable<MessageInfo> messages, CancellationToken abort)
    {
        var identities = new Dictionary<Uid, MessageFingerprint>();
        await foreach (var header in folder.ReadHeadersAsync(new UidSet(messages.Select(m => m.Uid)), abort))
            identities[header.Uid] = MessageFingerprint.Of(new MessageInfo(header.Uid, FlagSet.Empty), header.Octets.Span);
        return identities;
    }

    private void Add(FindingKind kind, MessageMatch match, string text, bool isInformation = false) =>
        context.Findings.Add(kind, key.Source, key.Target, match.Source.Uid, match.Target.Uid, text, isInformation);
}
