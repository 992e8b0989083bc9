using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Checking;

/// <summary>
/// Examines the folders of a job whose stores are open: how much mail they hold, whether it fits into the target, and which folders the
/// target can't create. It changes nothing.
/// </summary>
/// <param name="target">The target; null when its directory does not exist yet.</param>
internal sealed class MailboxCheck(JobDefinition job, IMessageStore source, ITargetStore? target, bool withSizes)
{
    public async Task<MailboxSize> MeasureAsync(List<string> problems, CancellationToken cancellationToken)
    {
        var listing = source.ListFoldersAsync(cancellationToken);
        var there = target is null ? [] : await target.ListFoldersAsync(cancellationToken);
        var mapping = FolderMapper.Map(await listing, job.Folders, there);
        if (mapping.NoneChosen is { } none)
            problems.Add(none);
        if (target is not null)
            mapping = FolderMapper.Locate(mapping, target, there, source: source);
        var present = there.Where(f => f.HoldsMessages).ToDictionary(f => f.Path);
        var (count, octets) = (new Sum(), withSizes ? new Sum() : null);
        foreach (var group in mapping.Pairs.GroupBy(p => p.Target))
        {
            var known = target is null ? null : present.GetValueOrDefault(group.Key);
            await count.AddAsync(group.Select(p => p.Source), known, CountAsync, source, target);
            if (octets is not null)
                await octets.AddAsync(group.Select(p => p.Source), known, OctetsAsync, source, target);
            if (known is null && target is not null && await WhyNotAsync(group.Key, cancellationToken) is { } why)
                problems.Add($"the folder {group.Key} can't be made at the target: {why}");
        }

        return new MailboxSize(mapping.Pairs.Count, count.Source, count.Target, octets?.Source, octets?.Target)
        {
            UnmatchedRules = mapping.UnmatchedText,
            MessagesLeft = count.Left,
            BytesLeft = octets?.Left,
            Uncounted = (int)count.Unknown,
            Unsized = octets?.Unknown ?? 0,
        };

        async Task<(long, long)> CountAsync(IMessageStore store, FolderEntry folder) =>
            await FolderSize.CountAsync(store, folder, cancellationToken) is { } messages ? (messages, 0) : (0, 1);

        Task<(long, long)> OctetsAsync(IMessageStore store, FolderEntry folder) => FolderSize.OctetsAsync(store, folder, cancellationToken);
    }

    /// <summary>
    /// Returns a warning for each quota of the target (messages or octets) that is too small for the mail still to be copied.
    /// </summary>
    public static IEnumerable<string> FindExcess(MailboxSize size, IEnumerable<StoreFact> target)
    {
        foreach (var fact in target.Where(f => f.Free is not null))
        {
            var isCount = fact.Unit == StoreUnit.Messages;
            if ((isCount ? size.MessagesLeft : size.BytesLeft) is { } need && need > fact.Free)
                yield return $"{fact.Name}: {(isCount ? "messages" : "octets")} still to be copied: {need}, room for: {fact.Free}";
            else if (fact.Free <= 0 && size.MessagesLeft > 0)
                yield return $"{fact.Name}: there is no room left, and messages still to be copied: {size.MessagesLeft}";
        }
    }

    /// <summary>
    /// Returns why the target can never create a folder; null if it may be able to. A refused name does not count if the target may accept
    /// the alternative name that a run tries next.
    /// </summary>
    private async Task<string?> WhyNotAsync(FolderPath path, CancellationToken cancellationToken) =>
        await target!.WhyNeverAsync(path, cancellationToken) is { } why && await target.WhyNeverAsync(TargetNames.Strict(path), cancellationToken) is not null ? why : null;

    /// <summary>Totals over all folders: numbers of messages, or sizes in octets.</summary>
    private sealed class Sum
    {
        public long Source { get; private set; }

        public long Target { get; private set; }

        public long Left { get; private set; }

        /// <summary>
        /// How many values are missing from these totals because a store does not report them: message counts of folders, or sizes of
        /// messages.
        /// </summary>
        public long Unknown { get; private set; }

        /// <param name="known">The target's folder; null if it does not exist yet.</param>
        /// <param name="measure">Returns the folder's number of messages or octets, and how many values the store did not report.</param>
        public async Task AddAsync(
            IEnumerable<FolderEntry> folders, FolderEntry? known, Func<IMessageStore, FolderEntry, Task<(long, long)>> measure, IMessageStore source, IMessageStore? target)
        {
            var (amount, unknown) = known is null ? (0, 0) : await measure(target!, known);
            var (here, there) = (0L, Known((amount, unknown)));
            foreach (var folder in folders)
                here += Known(await measure(source, folder));
            // The target reports no amount for this folder, so all of the mail may already be there. None of it counts as left to copy.
            var left = amount == 0 && unknown > 0 ? 0 : Math.Max(0, here - there);
            (Source, Target, Left) = (Source + here, Target + there, Left + left);
        }

        private long Known((long Amount, long Unknown) measured)
        {
            Unknown += measured.Unknown;
            return measured.Amount;
        }
    }
}
