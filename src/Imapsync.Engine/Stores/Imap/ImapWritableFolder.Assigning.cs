using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

/// <summary>
/// Determines the UIDs of appended messages. A wrong UID would later cause other messages to be flagged or removed. So APPENDUID is
/// believed only if nothing contradicts it; otherwise the folder is listed.
/// </summary>
internal sealed partial class ImapWritableFolder
{
    /// <summary>
    /// UIDs that the server reported for messages appended through this folder. If it reports a UID twice, the second report is not
    /// believed.
    /// </summary>
    private readonly UidSet given = new();

    /// <summary>
    /// The folder's UIDNEXT at the beginning of the current window (the batch of messages of one <see cref="AppendAsync"/>).
    /// </summary>
    private Uid mark;

    /// <summary>
    /// The UIDNEXT at the beginning of the first window (batch of messages) of which some messages were accepted but are not in the folder;
    /// none if there is no such window.
    /// </summary>
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
    /// Compares the folder's new messages with the messages sent. The server's APPENDUID and EXISTS suffice where both agree with the number
    /// of messages sent; otherwise the folder is listed.
    /// </summary>
    private async Task FindUidsAsync(List<SentMessage> sent, CancellationToken cancellationToken)
    {
        List<SentMessage> accepted = [.. sent.Where(s => s.Failure is null)];
        // Gmail discards a message that it already has, so EXISTS need not grow by the number of messages sent.
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
    /// Finds the UIDs of sent messages for which the server reported none, among new messages of the folder that are not assigned yet. If
    /// there are as many new messages as sent ones, with the same sizes in the same order, they are the same messages. Otherwise somebody
    /// else delivered mail meanwhile. Then a UID is assigned to a sent message only if its size and date occur as often among the new
    /// messages as among the sent ones.
    /// </summary>
    /// <param name="free">The new messages in the folder.</param>
    /// <param name="unknown">The sent messages without a UID.</param>
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
    /// Marks messages as failed that the server accepted with OK but that are not in the folder. The next run copies them again, after it
    /// has searched for them among all messages that arrived since the beginning of this window (batch of messages).
    /// </summary>
    private void FailUnseen(List<SentMessage> accepted, List<FetchedMessage> arrived)
    {
        var there = arrived.Select(r => r.Uid).ToHashSet();
        var others = there.Count(u => !given.Contains(u));
        List<SentMessage> unknown = [.. accepted.Where(s => s.Target.IsNone)];
        // If messages were expunged meanwhile, the missing ones may be among them, so they are not counted as failed.
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

    /// <summary>Lists the messages whose UID is <paramref name="from"/> or higher, in ascending order.</summary>
    private async Task<List<FetchedMessage>> FetchArrivedAsync(Uid from, CancellationToken cancellationToken)
    {
        await GuardAsync(Client.NoopAsync(cancellationToken), "looking for what arrived in");
        var rows = new List<FetchedMessage>();
        await GuardAsync(Client.FetchMetadataAsync($"{from}:*", true, null, rows, cancellationToken), "looking for what arrived in");
        return [.. rows.Where(r => r.Uid >= from).DistinctBy(r => r.Uid).OrderBy(r => r.Uid)];
    }
}
