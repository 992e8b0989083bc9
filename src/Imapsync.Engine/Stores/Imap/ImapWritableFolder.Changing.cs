using Imapsync.Engine.Mail;
using Imapsync.Imap;
using Imapsync.Imap.Client;

namespace Imapsync.Engine.Stores.Imap;

internal sealed partial class ImapWritableFolder
{
    /// <summary>How many messages are checked after the first APPEND with flags, to see whether the folder keeps the flags.</summary>
    private const int FlagSample = 8;

    /// <summary>After STORE was refused for this many single messages, the messages not tried yet count as refused, too.</summary>
    private const int MaxRefusedSingly = 4;

    public async Task<int> SetFlagsAsync(IReadOnlyList<FlagChange> changes, CancellationToken cancellationToken)
    {
        if (changes.Count == 0)
            return 0;
        await ReviveAsync(cancellationToken);
        var now = await FlagsAsync(changes.Select(c => c.Uid), cancellationToken);
        var real = new List<FlagChange>();
        foreach (var change in changes)
        {
            if (!now.TryGetValue(change.Uid, out var flags))
                continue;
            var add = storable.Keep(change.Add.Except(flags), out var lost);
            if (lost is not null)
                Context.OnNote($"{Path}: the server does not keep {lost}");
            // Flags are removed under the server's own spelling, since some servers distinguish $MDNSent from $MdnSent.
            var remove = flags.Except(flags.Except(change.Remove));
            if (!add.IsEmpty || !remove.IsEmpty)
                real.Add(new FlagChange(change.Uid, add, remove));
        }

        var refused = new RefusedStores();
        await StoreEachAsync(real.GroupBy(c => c.Add, c => c.Uid), add: true, refused, cancellationToken);
        await StoreEachAsync(real.GroupBy(c => c.Remove, c => c.Uid), add: false, refused, cancellationToken);
        if (refused.First is not { } first)
            return real.Count;
        var only = new UidSet(refused.Uids);
        throw new MailException(FailureScope.Folder, false, $"{first.Message} (UID {only})", first) { OnlyFor = only };
    }

    /// <summary>
    /// Stores flags. A refused set is halved again and again until the messages that the server refuses are found, so that all others get their flags.
    /// </summary>
    private async Task StoreEachAsync(IEnumerable<IGrouping<FlagSet, Uid>> groups, bool add, RefusedStores refused, CancellationToken cancellationToken)
    {
        foreach (var group in groups.Where(g => !g.Key.IsEmpty))
        {
            var waiting = new Stack<Uid[]>([[.. group.Order()]]);
            while (waiting.TryPop(out var uids))
            {
                try
                {
                    if (refused.Singly == MaxRefusedSingly)
                    {
                        refused.Add(uids);
                        continue;
                    }

                    foreach (var set in new UidSet(uids).ToWire(900))
                        await StoreAsync(set, add, group.Key, cancellationToken);
                }
                catch (MailException e) when (e is { Scope: FailureScope.Folder, IsTransient: false, InnerException: ImapCommandException })
                {
                    refused.First ??= e;
                    if (Client.Refusals >= ConnectionPool.MaxRefusals)
                        await ReplaceConnectionAsync(cancellationToken);
                    if (uids.Length == 1)
                    {
                        refused.Singly++;
                        refused.Add(uids);
                        continue;
                    }

                    waiting.Push(uids[(uids.Length / 2)..]);
                    waiting.Push(uids[..(uids.Length / 2)]);
                }
            }
        }
    }

    public async Task<int> RemoveAsync(UidSet uids, FolderPath? trash, CancellationToken cancellationToken)
    {
        await ReviveAsync(cancellationToken);
        var offered = Client.Capabilities;
        if (!offered.HasUidPlus && !(trash is not null && offered.HasMove))
            throw new MailException(FailureScope.Folder, false, $"the server offers no way to remove single messages from {Path} (UIDPLUS)");
        var there = new UidSet();
        await foreach (var message in ListAsync(new ListRequest(uids), cancellationToken))
            there.Add(message.Uid);
        var alreadyExpunged = Client.Expunged;
        var trashName = trash is null ? null : await findWireName(trash, cancellationToken);
        foreach (var set in there.ToWire(900))
        {
            if (trashName is not null && offered.HasMove)
            {
                await GuardAsync(Client.CopyAsync(set, trashName, move: true, cancellationToken), "moving messages out");
                continue;
            }

            if (trashName is not null)
                await CopyOutAsync(set, trashName, cancellationToken);
            await GuardAsync(Client.StoreAsync(set, true, FlagSet.Create(MessageFlags.Deleted), cancellationToken), "marking messages");
            await GuardAsync(Client.ExpungeAsync(set, cancellationToken), "removing messages");
        }

        if (Client.Expunged - alreadyExpunged < there.Count)
            await ProveGoneAsync(there, cancellationToken);
        return (int)there.Count;
    }

    /// <summary>
    /// Copies messages to the trash folder and checks by STATUS that the trash folder grew by their number, since the originals are removed
    /// next and an OK alone is no proof. Where STATUS reports neither UIDNEXT nor a number of messages, the check is skipped.
    /// </summary>
    private async Task CopyOutAsync(string set, string trashName, CancellationToken cancellationToken)
    {
        var before = await GuardAsync(Client.StatusAsync(trashName, cancellationToken), "the status of the trash folder for what is removed");
        await GuardAsync(Client.CopyAsync(set, trashName, move: false, cancellationToken), "moving messages out");
        var after = await GuardAsync(Client.StatusAsync(trashName, cancellationToken), "the status of the trash folder for what is removed");
        var copied = UidSet.TryParse(set, out var uids) ? uids.Count : 1;
        // UIDNEXT shows the growth even if somebody else removes mail from the trash folder at the same time.
        var byUid = before is { UidNext.IsNone: false } && after is { UidNext.IsNone: false } ? (long)after.UidNext.Value - before.UidNext.Value : (long?)null;
        var byCount = before is { TellsMessages: true } && after is { TellsMessages: true } ? after.Messages - before.Messages : (long?)null;
        if ((byUid ?? byCount) is not null && Math.Max(byUid ?? 0, byCount ?? 0) < copied)
            throw new MailException(FailureScope.Folder, false, $"the server says that {copied} messages of {Path} are copied to the trash folder, which did not grow by as many; they are not removed");
    }

    /// <summary>
    /// Checks that messages are gone, for a server that reported fewer removals than were requested. An OK alone is no proof.
    /// </summary>
    private async Task ProveGoneAsync(UidSet uids, CancellationToken cancellationToken)
    {
        await SelectAgainAsync(cancellationToken);
        var left = new UidSet();
        await foreach (var message in ListAsync(new ListRequest(uids), cancellationToken))
            left.Add(message.Uid);
        if (!left.IsEmpty)
            throw new MailException(FailureScope.Folder, false, $"the server says that these messages are removed from {Path} and still shows them: UID {left}");
    }

    /// <summary>
    /// Makes sure that the appended messages have their flags: sets the flags that were not sent with APPEND, and all flags where the folder turned out
    /// to drop those sent with APPEND (MailEnable, Outlook.com, Cyrus without the right to write).
    /// </summary>
    private async Task SettleFlagsAsync(List<SentMessage> appended, CancellationToken cancellationToken)
    {
        List<SentMessage> flagged = [.. appended.Where(s => !s.Target.IsNone && !s.Wanted.IsEmpty)];
        if (memory.Flags == AppendFlagSupport.Unknown && flagged.Where(s => !s.Outgoing.Flags.IsEmpty).Take(FlagSample).ToList() is { Count: > 0 } sample)
            memory.Flags = await AreKeptAsync(sample, cancellationToken) ? AppendFlagSupport.Kept : AppendFlagSupport.SetAfterwards;
        if (memory.Flags == AppendFlagSupport.Never)
            return;
        foreach (var group in flagged.GroupBy(s => memory.Flags == AppendFlagSupport.SetAfterwards ? s.Wanted : s.SetAfterwards, s => s.Target).Where(g => !g.Key.IsEmpty))
        {
            var isTrial = flagged.Exists(s => s.SetAfterwards.Equals(group.Key) && memory.Find(s.Source)?.Flags == FlagTrial.WithoutFlags);
            try
            {
                await StoreAsync([group], add: true, cancellationToken);
            }
            catch (MailException e) when (isTrial && e is { Scope: FailureScope.Folder, InnerException: ImapCommandException })
            {
                Context.OnNote($"{Path}: the server does not take ({group.Key}), neither with a message nor afterwards: {e.Message}");
            }
            catch (MailException e) when (e is { Scope: FailureScope.Folder, InnerException: ImapCommandException })
            {
                memory.Flags = AppendFlagSupport.Never;
                Context.OnNote($"{Path}: the server does not keep the flags of what is appended, and does not let them be set: {e.Message}");
                return;
            }
        }
    }

    private async Task<bool> AreKeptAsync(List<SentMessage> sample, CancellationToken cancellationToken)
    {
        var now = await FlagsAsync(sample.Select(s => s.Target), cancellationToken);
        // A message that is already gone (Gmail discards messages that it already has) proves nothing about flags.
        return sample.TrueForAll(s => !now.TryGetValue(s.Target, out var flags) || s.Outgoing.Flags.Except(flags).IsEmpty);
    }

    private async Task<Dictionary<Uid, FlagSet>> FlagsAsync(IEnumerable<Uid> uids, CancellationToken cancellationToken)
    {
        var rows = new List<FetchedMessage>();
        foreach (var set in new UidSet(uids).ToWire(900))
            await GuardAsync(Client.FetchMetadataAsync(set, false, null, rows, cancellationToken), "the flags");
        var flags = new Dictionary<Uid, FlagSet>();
        foreach (var row in rows)
            flags[row.Uid] = row.Flags;
        return flags;
    }

    private async Task StoreAsync(IEnumerable<IGrouping<FlagSet, Uid>> groups, bool add, CancellationToken cancellationToken)
    {
        foreach (var group in groups.Where(g => !g.Key.IsEmpty))
        {
            foreach (var set in new UidSet(group).ToWire(900))
                await StoreAsync(set, add, group.Key, cancellationToken);
        }
    }

    /// <summary>Stores flags; where the server refuses the keywords (Cyrus: more than 100 in a mailbox), the system flags are still stored.</summary>
    private async Task StoreAsync(string set, bool add, FlagSet flags, CancellationToken cancellationToken)
    {
        try
        {
            await GuardAsync(Client.StoreAsync(set, add, flags, cancellationToken), "changing flags");
        }
        catch (MailException e) when (add && !flags.Keywords.IsEmpty && !e.IsTransient && e is { Scope: FailureScope.Folder, InnerException: ImapCommandException })
        {
            Context.OnNote($"{Path}: the server does not take the keywords {string.Join(' ', flags.Keywords)}: {e.Message}");
            if (flags.System != MessageFlags.None)
                await GuardAsync(Client.StoreAsync(set, add, FlagSet.Create(flags.System), cancellationToken), "changing flags");
        }
    }

    /// <summary>Collects which changes of flags the server refused.</summary>
    private sealed class RefusedStores
    {
        public MailException? First { get; set; }

        public SortedSet<Uid> Uids { get; } = [];

        /// <summary>How many messages were refused in a STORE of their own.</summary>
        public int Singly { get; set; }

        public void Add(Uid[] uids) => Uids.UnionWith(uids);
    }
}
