using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Checking;

/// <summary>
/// Measures one folder of a store without changing it. A count or size that the store does not report is never taken as 0.
/// </summary>
public static class FolderSize
{
    /// <summary>
    /// Counts the folder's messages. The folder list is used if it has a count; otherwise the store is asked for the folder's status.
    /// </summary>
    /// <returns>The number of messages; 0 for a folder that holds only folders; null if the store does not report it.</returns>
    public static async Task<long?> CountAsync(IMessageStore store, FolderEntry folder, CancellationToken cancellationToken)
    {
        if (!folder.HoldsMessages)
            return 0;
        var status = folder.Status is { IsCountUnknown: false } listed ? listed : await StatusAnswers.EvenByOpeningAsync(store, folder.Path, cancellationToken);
        return status.IsCountUnknown ? null : status.Messages;
    }

    /// <summary>Adds up the sizes of the folder's messages, by listing all of them.</summary>
    /// <returns>The total octets of the messages whose size is known, and the number of messages whose size is unknown.</returns>
    public static async Task<(long Octets, long Unsized)> OctetsAsync(IMessageStore store, FolderEntry folder, CancellationToken cancellationToken)
    {
        var (octets, unsized) = (0L, 0L);
        if (!folder.HoldsMessages)
            return (octets, unsized);
        await using var open = await store.OpenAsync(folder.Path, cancellationToken);
        await foreach (var message in open.ListAsync(new ListRequest(WithDateAndSize: true), cancellationToken))
            (octets, unsized) = message.Size < 0 ? (octets, unsized + 1) : (octets + message.Size, unsized);
        return (octets, unsized);
    }
}
