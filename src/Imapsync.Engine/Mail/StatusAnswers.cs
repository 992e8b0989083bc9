namespace Imapsync.Engine.Mail;

/// <summary>Answers further queries from a folder's status, for stores that have no cheaper way.</summary>
internal static class StatusAnswers
{
    /// <inheritdoc cref="IMessageStore.GetUidCountersAsync"/>
    public static async Task<UidCounters> UidCountersAsync(IMessageStore store, FolderPath path, CancellationToken cancellationToken)
    {
        var status = await store.GetStatusAsync(path, cancellationToken);
        return new UidCounters(status.UidValidity, status.UidNext);
    }

    /// <summary>
    /// Asks for a folder's counters, and opens the folder if the store refuses to tell them otherwise. For callers that have no folder of the
    /// store open, since opening may wait for another one to be closed.
    /// </summary>
    public static async Task<FolderStatus> EvenByOpeningAsync(IMessageStore store, FolderPath path, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetStatusAsync(path, cancellationToken);
        }
        catch (MailException e) when (e is { Scope: FailureScope.Folder, IsTransient: false, Kind: not FailureKind.Gone })
        {
            await using var folder = await store.OpenAsync(path, cancellationToken);
            return folder.Status;
        }
    }

    /// <inheritdoc cref="IMessageStore.ExistsAsync"/>
    public static async Task<bool> ExistsAsync(IMessageStore store, FolderPath path, CancellationToken cancellationToken)
    {
        try
        {
            await store.GetStatusAsync(path, cancellationToken);
            return true;
        }
        catch (MailException e) when (e.Kind == FailureKind.Gone)
        {
            return false;
        }
    }
}
