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
