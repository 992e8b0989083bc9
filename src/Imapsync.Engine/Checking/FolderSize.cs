using Imapsync.Engine.Mail;

namespace Imapsync.Engine.Checking;

/// <summary>How much one folder of a store holds. Changes nothing. What the store does not tell never counts as 0.</summary>
public static class FolderSize
{
    /// <summary>Counts the folder's messages: by its entry in the folder list if that has the count, else by its status.</summary>
    /// <returns>The number of messages; 0 for a folder that holds only folders, null if the store does not tell.</returns>
    public static async Task<long?> CountAsync(IMessageStore store, FolderEntry folder, CancellationToken cancellationToken)
    {
        if (!folder.HoldsMessages)
            return 0;
        var status = folder.Status is { IsCountUnknown: false } listed ? listed : await StatusAnswers.EvenByOpeningAsync(store, folder.Path, cancellationToken);
        return status.IsCountUnknown ? null : status.Messages;
    }

    /// <summary>Lists every message of the folder.</summary>
    /// <returns>The octets of those whose size is told, and how many others there are.</returns>
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
