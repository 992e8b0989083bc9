using Imapsync.Engine.Folders;
using Imapsync.Engine.Jobs;
using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Checking;

/// <summary>Looks at the folders of a job whose stores are open: how much there is, whether it fits, and what has no place. Changes nothing.</summary>
/// <param name="target">Null where it is a directory that is still to be made.</param>
internal sealed class MailboxCheck(JobDefinition job, IMessageStore source, IMessageStore? target, bool withSizes)
{
    public async Task<MailboxSize> MeasureAsync(List<string> problems, CancellationToken cancellationToken)
    {
        var listing = source.ListFoldersAsync(cancellationToken);
        var there = target is null ? [] : await target.ListFoldersAsync(cancellationToken);
        var mapping = FolderMapper.Map(await listing, job.Folders, there);
        if (target is not null)
            mapping = FolderMapper.Locate(mapping, target, there, source: source);
        var present = there.Where(f => f.HoldsMessages).ToDictionary(f => f.Path);
        var (messages, atTarget, left) = (0L, 0L, 0L);
        (long Source, long Target, long Left)? bytes = withSizes ? default((long, long, long)) : null;
        foreach (var group in mapping.Pairs.GroupBy(p => p.Target))
        {
            var known = present.GetValueOrDefault(group.Key);
            var (here, count) = (0L, known is null || target is null ? 0 : await CountAsync(target, known, cancellationToken));
            foreach (var pair in group)
                here += await CountAsync(source, pair.Source, cancellationToken);
            messages += here;
            atTarget += count;
            left += Math.Max(0, here - count);
            if (bytes is var (sum, targetSum, leftSum))
            {
                var size = 0L;
                foreach (var pair in group)
                    size += await SizeAsync(source, pair.Source.Path, cancellationToken);
                var targetSize = known is null || target is null ? 0 : await SizeAsync(target, known.Path, cancellationToken);
                bytes = (sum + size, targetSum + targetSize, leftSum + Math.Max(0, size - targetSize));
            }

            if (known is null && target is not null && await WhyNotAsync(group.Key, cancellationToken) is { } why)
                problems.Add($"the folder {group.Key} can't be made at the target: {why}");
        }

        return new MailboxSize(mapping.Pairs.Count, messages, atTarget, bytes?.Source, bytes?.Target) { MessagesLeft = left, BytesLeft = bytes?.Left };
    }

    /// <summary>What does not fit into what the target says is free.</summary>
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

    private static async Task<long> CountAsync(IMessageStore store, FolderEntry folder, CancellationToken cancellationToken) =>
        folder.HoldsMessages ? (folder.Status ?? await store.GetStatusAsync(folder.Path, cancellationToken)).Messages : 0;

    private static async Task<long> SizeAsync(IMessageStore store, FolderPath path, CancellationToken cancellationToken)
    {
        await using var folder = await store.OpenAsync(path, cancellationToken);
        var bytes = 0L;
        await foreach (var message in folder.ListAsync(new ListRequest(WithDateAndSize: true), cancellationToken))
            bytes += Math.Max(0, message.Size);
        return bytes;
    }

    /// <summary>
    /// Asked for a folder that is not there, a server that could never make it tends to say so. Where it takes the name that a run
    /// would try next, that will do.
    /// </summary>
    private async Task<string?> WhyNotAsync(FolderPath path, CancellationToken cancellationToken) =>
        await target!.WhyNeverAsync(path, cancellationToken) is { } why && await target.WhyNeverAsync(TargetNames.Strict(path), cancellationToken) is not null ? why : null;
}
