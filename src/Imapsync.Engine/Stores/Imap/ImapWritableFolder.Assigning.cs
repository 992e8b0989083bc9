using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Which UIDs appended messages have. What a server says in passing decides later what is flagged and removed, so it is believed
/// only where nothing speaks against it; else the folder shows it.
/// </summary>
internal sealed partial class ImapWritableFolder
{
    /// <summary>UIDs that messages sent through this folder got.</summary>
    private readonly UidSet given = new();

    /// <summary>The next UID when the window in hand was begun.</summary>
    private Uid mark;

    /// <summary>The mark of the first window that was not seen to arrive whole.</summary>
    private Uid held;
    private long existedBefore;
    private long expungedBefore;

    private void BeginWindow() => (mark, existedBefore, expungedBefore) = (nextUid, Client.Exists, Client.Expunged);

    private void Assign(IReadOnlyList<SentMessage> sent, AppendResult result)
    {
        if (result.Uids is not { } uids || uids.Count != sent.Count || result.UidValidity.IsNone || result.UidValidity != Status.UidValidity)
            return;
        if (uids.Enumerate().Any(u => u < mark || given.Contains(u)))
            return;
        foreach (var (message, uid) in sent.Zip(uids.Enumerate()))
            Give(message, uid);
    }

    private void Give(SentMessage message, Uid uid)
    {
        message.Target = uid;
        given.Add(uid);
        if (uid >= nextUid)
            nextUid = After(uid);
    }

    private static Uid After(Uid uid) => new(uid.Value == uint.MaxValue ? uid.Value : uid.Value + 1);

    /// <summary>
    /// Holds what the folder shows against what it was sent. What the server said of UIDs and of the number of messages is enough
    /// where both fit; else the folder is looked at.
    /// </summary>
    private async Task FindUidsAsync(List<SentMessage> sent, CancellationToken cancellationToken)
    {
        List<SentMessage> accepted = [.. sent.Where(s => s.Failure is null)];
        // Gmail throws away what it has already.
        var dropsTwins = Client.Capabilities.HasGmail;
        var isTold = accepted.TrueForAll(s => !s.Target.IsNone);
        if (isTold && (dropsTwins || ShowsAll(accepted.Count)))
            return;
        if (isTold)
        {
            await GuardAsync(Client.NoopAsync(cancellationToken), "looking for what arrived in");
            if (ShowsAll(accepted.Count))
                return;
        }

        var arrived = await FetchArrivedAsync(mark, cancellationToken);
        if (arrived.Count < accepted.Count && !dropsTwins)
        {
            await SelectAgainAsync(cancellationToken);
            arrived = await FetchArrivedAsync(mark, cancellationToken);
        }

        var free = arrived.Where(r => !given.Contains(r.Uid)).ToList();
        MatchFree(free, [.. accepted.Where(s => s.Target.IsNone)]);
        if (arrived.Count > 0 && arrived[^1].Uid >= nextUid)
            nextUid = After(arrived[^1].Uid);
        if (!dropsTwins)
            FailUnseen(accepted, arrived);
    }

    private bool ShowsAll(int accepted) => Client.Exists + (Client.Expunged - expungedBefore) - existedBefore >= accepted;

    /// <summary>
    /// What is new since the mark is ours if it is as many messages with the same sizes in the same order. Else somebody delivered
    /// meanwhile, and what has a size and a date that only ours have is ours.
    /// </summary>
    private void MatchFree(List<FetchedMessage> free, List<SentMessage> unknown)
    {
        if (free.Count == unknown.Count && free.Zip(unknown).All(p => p.First.Size == p.Second.Outgoing.Length))
        {
            foreach (var (row, message) in free.Zip(unknown))
                Give(message, row.Uid);
            return;
        }

        var bySizeAndDate = free.ToLookup(r => (r.Size, r.InternalDate.ToUnixTimeSeconds()));
        foreach (var alike in unknown.Where(m => m.Outgoing.InternalDate is not null).GroupBy(m => (m.Outgoing.Length, m.Outgoing.InternalDate!.Value.ToUnixTimeSeconds())))
        {
            var rows = bySizeAndDate[alike.Key].ToList();
            if (rows.Count != alike.Count())
                continue;
            foreach (var (row, message) in rows.Zip(alike))
                Give(message, row.Uid);
        }
    }

    /// <summary>
    /// What was accepted and does not lie in the folder has failed, and is asked for again by the next run, which looks from the
    /// mark on whether it came after all.
    /// </summary>
    private void FailUnseen(List<SentMessage> accepted, List<FetchedMessage> arrived)
    {
        var there = arrived.Select(r => r.Uid).ToHashSet();
        var others = there.Count(u => !given.Contains(u));
        List<SentMessage> unknown = [.. accepted.Where(s => s.Target.IsNone)];
        // Somebody who removes messages may have removed these.
        var unseen = Client.Expunged > expungedBefore ? [] : accepted.Where(s => !s.Target.IsNone && !there.Contains(s.Target)).ToList();
        if (unknown.Count > others)
            unseen.AddRange(unknown);
        else if (unknown.Count > 0)
            Context.OnNote($"{Path}: the server did not tell the UIDs of messages it took, and other mail came with them: their flags and their removal are not carried over later, messages: {unknown.Count}");
        if (unseen.Count == 0)
            return;
        foreach (var message in unseen)
        {
            message.Target = Uid.None;
            message.Failure = new MailException(FailureScope.Message, false, "the server said OK to the message, and it is not in the folder");
        }

        held = held.IsNone ? mark : held;
    }

    /// <summary>What lies at or above a UID, in order.</summary>
    private async Task<List<FetchedMessage>> FetchArrivedAsync(Uid from, CancellationToken cancellationToken)
    {
        await GuardAsync(Client.NoopAsync(cancellationToken), "looking for what arrived in");
        var rows = new List<FetchedMessage>();
        await GuardAsync(Client.FetchMetadataAsync($"{from}:*", true, null, rows, cancellationToken), "looking for what arrived in");
        return [.. rows.Where(r => r.Uid >= from).DistinctBy(r => r.Uid).OrderBy(r => r.Uid)];
    }
}
