using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.Reading;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Verifying;

/// <summary>
/// Compares a target folder with its source folder. Messages are paired by the checkpoint if both UIDVALIDITYs are unchanged; the rest are
/// matched by identity.
/// </summary>
/// <param name="compared">Source UIDs whose contents have been compared, including by earlier attempts.</param>
internal sealed class FolderVerifier(
    VerifyContext context, FolderPair pair, IMessageStore store, TargetUnderVerification target, UidSet compared)
{
    private readonly PairKey key = new(pair.Source.Path, pair.Target);

    /// <returns>How many messages of the source were checked.</returns>
    public async Task<long> RunAsync(CancellationToken abort)
    {
        await using var source = await store.OpenAsync(pair.Source.Path, abort);
        await using var checkpoint = await context.Checkpoints.OpenAsync(key, abort);
        if (checkpoint.Condition == CheckpointCondition.Damaged)
            context.Report.Note(key.Source, $"the checkpoint was damaged ({checkpoint.Damage}); messages are matched by identity");
        var listing = await FolderMessages.ReadAsync(source, abort);
        if (listing.Missing > 0)
            TargetVerifier.ReportShortListing(context, key.Source, source.Status.Messages, listing.Missing);
        var isPaired = context.OtherAccounts is null && target.Folder is not null && !source.LastingUidValidity.IsNone && !checkpoint.TargetValidity.IsNone
            && checkpoint.SourceValidity == source.LastingUidValidity && checkpoint.TargetValidity == target.Folder.LastingUidValidity;

        if (!isPaired)
            target.Claimed.ExceptWith(checkpoint.Messages.Select(m => m.Target));
        var expected = await ChooseAsync(source, listing.All, abort);
        var matches = await MatchAsync(source, checkpoint, isPaired, expected, abort);
        var otherSizes = matches.Where(CompareListed).ToList();
        if (isPaired && context.Job.Deletions == DeletionPolicy.Mirror && listing.Missing == 0)
            FindKept(checkpoint, listing);
        if (target.Folder is not null)
        {
            var contents = new ContentComparison(context, key, source, target.Folder, checkpoint, compared);
            await contents.CompareSizesAsync(otherSizes, abort);
            await contents.RunAsync(matches, abort);
        }

        return expected.Count;
    }

    private async Task<List<MessageInfo>> ChooseAsync(IMessageFolder source, IReadOnlyList<MessageInfo> listing, CancellationToken abort)
    {
        var filter = context.Job.Messages;
        var byHeader = await new HeaderChoice().ReadAsync(source, filter, listing, m => pair.Only?.Contains(m.Uid) != false, _ => { }, abort);
        return [.. listing.Where(m => filter.Accepts(m) && pair.Only?.Contains(m.Uid) != false && byHeader?.Contains(m.Uid) != false)];
    }

    private async Task<List<MessageMatch>> MatchAsync(
        IMessageFolder source, ICheckpoint checkpoint, bool isPaired, List<MessageInfo> expected, CancellationToken abort)
    {
        var matches = new List<MessageMatch>(expected.Count);
        var open = new Dictionary<Uid, (MessageInfo Message, SettledMessage? Known)>();
        foreach (var message in expected)
        {
            SettledMessage? known = isPaired && checkpoint.TryGet(message.Uid, out var settled) ? settled : null;
            if (known is { Target.IsNone: false } there && target.Messages.TryGet(there.Target, out var info))
                matches.Add(new MessageMatch(message, info, known));
            else
                open.Add(message.Uid, (message, known));
        }

        if (open.Count > 0 && target.Folder is not null)
        {
            var recognition = new MessageRecognition(source, target.Folder);
            foreach (var (here, there) in await recognition.RecognizeAsync([.. open.Values.Select(o => o.Message)], new Uid(1), target.Claimed, abort))
            {
                target.Claimed.Add(there.Uid);
                open.Remove(here.Uid, out _);
                matches.Add(new MessageMatch(here, there, null));
            }

            matches.Sort((a, b) => a.Source.Uid.CompareTo(b.Source.Uid));
        }

        var described = await MessageDescription.ReadAsync(source, open.Keys.Order(), abort);
        foreach (var (message, known) in open.Values)
        {
            var what = described.GetValueOrDefault(message.Uid) is { } envelope ? $"{envelope}: " : "";
            context.Findings.Add(FindingKind.Missing, key.Source, key.Target, message.Uid, known?.Target ?? Uid.None, what + WhyMissing(known));
        }

        return matches;
    }

    private string WhyMissing(SettledMessage? known) => known switch
    {
        _ when target.Folder is null => "there is no such folder at the target",
        null => "not at the target; no run has copied it",
        { Settlement: Settlement.Failed } => "not at the target; the last run could not copy it",
        { Target.IsNone: false } => $"it was UID {known.Value.Target} at the target and is gone from there",
        _ => "not at the target",
    };

    /// <summary>Compares the listed properties of a message on both sides: flags, date and size.</summary>
    /// <returns>True if the sizes differ and the contents are not compared later, because <c>--full</c> was not given.</returns>
    private bool CompareListed(MessageMatch match)
    {
        var (here, there, known) = match;
        if (FlagPolicyCheck.Check(context.Job.Flags, here.Flags, known?.Flags, there.Flags) is { } flags)
            Add(FindingKind.Flags, match, flags.Text, flags.IsInformation);
        var hasDates = here.InternalDate != default && there.InternalDate != default;
        if (hasDates && here.InternalDate.ToUnixTimeSeconds() != there.InternalDate.ToUnixTimeSeconds())
        {
            // A different date is only information if this program did not copy the message but matched it by identity.
            Add(FindingKind.Date, match, $"received {here.InternalDate:u}, at the target {there.InternalDate:u}", isInformation: known?.Settlement is null or Settlement.Adopted);
        }

        // Some servers report wrong sizes, so a target size equal to the recorded length of the relayed octets is accepted.
        var isOtherSize = here.Size >= 0 && there.Size >= 0 && here.Size != there.Size && there.Size != known?.Checksum?.Length;
        return !context.Options.Full && isOtherSize;
    }

    /// <summary>For jobs that mirror deletions: reports messages that are gone from the source but still at the target.</summary>
    private void FindKept(ICheckpoint checkpoint, FolderMessages listing)
    {
        foreach (var known in checkpoint.Messages)
        {
            if (known.Target.IsNone || listing.TryGet(known.Source, out _) || !target.Messages.TryGet(known.Target, out _))
                continue;
            context.Findings.Add(FindingKind.Extra, key.Source, key.Target, known.Source, known.Target, "gone from the source and still at the target");
        }
    }

    private void Add(FindingKind kind, MessageMatch match, string text, bool isInformation = false) =>
        context.Findings.Add(kind, key.Source, key.Target, match.Source.Uid, match.Target.Uid, text, isInformation);
}
