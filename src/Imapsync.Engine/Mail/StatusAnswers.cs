namespace Imapsync.Engine.Mail;

/// <summary>Helpers that answer questions about a folder by requesting its status, for stores that have no cheaper way.</summary>
internal static class StatusAnswers
{
    /// <inheritdoc cref="ITargetStore.GetUidCountersAsync"/>
    public static async Task<UidCounters> UidCountersAsync(IMessageStore store, FolderPath path, CancellationToken cancellationToken)
    {
        var status = await store.GetStatusAsync(path, cancellationToken);
        return new UidCounters(status.UidValidity, status.UidNext);
    }

    /// <summary>
    /// Returns a folder's counters, and opens the folder to read them if the store does not report them otherwise. Only for callers that
    /// have no folder of the store open, since opening one may wait until another is closed.
    /// </summary>
    public static async Task<FolderStatus> EvenByOpeningAsync(IMessageStore store, FolderPath path, CancellationToken cancellationToken)
    {
        if (await UnlessRefusedAsync(store, path, cancellationToken) is { } status)
            return status;
        await using var folder = await store.OpenAsync(path, cancellationToken);
        return folder.Status;
    }

    /// <summary>Returns a folder's counters; null if the folder exists and the store refuses to tell them.</summary>
    public static async Task<FolderStatus?> UnlessRefusedAsync(IMessageStore store, FolderPath path, CancellationToken cancellationToken)
    {
        try
        {
            return await store.GetStatusAsync(path, cancellationToken);
        }
        catch (MailException e) when (IsRefusal(e))
        {
            return null;
        }
    }

    /// <summary>Returns whether a failure means that the folder exists and the store refuses to tell its counters.</summary>
    public static bool IsRefusal(MailException failure) => failure is { Scope: FailureScope.Folder, IsTransient: false, Kind: not FailureKind.Gone };

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
