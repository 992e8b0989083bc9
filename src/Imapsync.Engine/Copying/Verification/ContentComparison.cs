using Imapsync.Engine.Checkpoints;
using Imapsync.Engine.Mail;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying.Verification;

/// <summary>
/// Compares what messages hold, some at a time, reading both sides at once: all octets by SHA-256, or the headers only.
/// Memory is bounded by the group, whatever the messages' sizes.
/// </summary>
internal sealed class ContentComparison(
    VerifyContext context, PairKey key, IMailFolder source, IMailFolder target, ICheckpoint checkpoint, UidSet compared)
{
    private const int GroupMessages = 250;
    private const long GroupBytes = 64 << 20;

    /// <summary>Messages up to here are read once more to say how they differ.</summary>
    private const int ExplainedBytes = 4 << 20;

    public async Task RunAsync(IEnumerable<MessageMatch> matches, CancellationToken abort)
    {
        foreach (var group in Groups(matches.Where(m => context.Sample.Includes(m.Source.Uid) && !compared.Contains(m.Source.Uid))))
        {
            context.Stop.ThrowIfCancellationRequested();
            if (context.Options.Full)
                await CompareOctetsAsync(group, abort);
            else
                await CompareHeadersAsync(group, abort);
            foreach (var match in group)
                compared.Add(match.Source.Uid);
        }
    }

    /// <summary>In the order given, cut into groups by number and size.</summary>
    public static IEnumerable<List<MessageMatch>> Groups(IEnumerable<MessageMatch> matches)
    {
        var group = new List<MessageMatch>();
        var bytes = 0L;
        foreach (var match in matches)
        {
            group.Add(match);
            bytes += Math.Max(0, match.Target.Size);
            if (group.Count < GroupMessages && bytes < GroupBytes)
                continue;
            yield return group;
            (group, bytes) = ([], 0);
        }

        if (group.Count > 0)
            yield return group;
    }

    private async Task CompareOctetsAsync(List<MessageMatch> group, CancellationToken abort)
    {
        var reading = (
            Source: MessageContents.ReadAsync(source, [.. group.Select(m => m.Source)], withDigest: true, abort),
            Target: MessageContents.ReadAsync(target, [.. group.OrderBy(m => m.Target.Uid).Select(m => m.Target)], withDigest: true, abort));
        await Task.WhenAll(reading.Source, reading.Target);
        var (here, there) = (await reading.Source, await reading.Target);
        foreach (var match in group)
        {
            // What went away from the source meanwhile has nothing to be held against.
            if (!here.TryGetValue(match.Source.Uid, out var ours))
                continue;
            if (!there.TryGetValue(match.Target.Uid, out var theirs))
                Add(FindingKind.Missing, match, "gone from the target while it was verified");
            else if ((ours.Failure ?? theirs.Failure) is { } failure)
                Add(FindingKind.Unreadable, match, $"the {(ours.Failure is null ? "target" : "source")} can't give it: {failure.Message}");
            else if (ours.Digest != theirs.Digest || ours.Length != theirs.Length)
                Add(FindingKind.Octets, match, await ExplainAsync(match, ours, theirs, abort));
            else if (match.Known is { Checksum: null } known)
                checkpoint.Settle(known with { Checksum = ours.Checksum });
        }

        // Seen to be equal: from now on these can be verified without the source.
        await checkpoint.CommitAsync(abort);
    }

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

    private static async Task<Dictionary<Uid, MessageIdentity>> IdentifyAsync(
        IMailFolder folder, IEnumerable<MessageInfo> messages, CancellationToken abort)
    {
        var identities = new Dictionary<Uid, MessageIdentity>();
        await foreach (var header in folder.ReadHeadersAsync(new UidSet(messages.Select(m => m.Uid)), abort))
            identities[header.Uid] = MessageIdentity.Of(new MessageInfo(header.Uid, FlagSet.Empty), header.Octets.Span);
        return identities;
    }

    private void Add(FindingKind kind, MessageMatch match, string text) =>
        context.Findings.Add(kind, key.Source, key.Target, match.Source.Uid, match.Target.Uid, text);
}
