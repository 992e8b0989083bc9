using Imapsync.Engine.Jobs;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Reads to which folders of the source account a restore has written the backup's folders. A restored folder may have another name in the
/// account than in the backup. Without this knowledge a run would back it up a second time.
/// </summary>
internal static class RestoredPairs
{
    /// <returns>The pairs in the direction of the backup: the account's folder is the source, the backup's folder the target.</returns>
    public static async Task<IReadOnlyList<PairKey>> ReadAsync(JobContext context, CancellationToken abort)
    {
        if (context.Job.IsRestore)
            return [];
        var state = context.OpenState(RestoreOrigin.StateOf(context.Job, context.Job.Source));
        if (!await state.ExistsAsync(abort))
        {
            await state.DisposeAsync();
            return [];
        }

        try
        {
            await using var restored = await CheckpointStore.OpenAsync(state, readOnly: true, abort);
            return [.. restored.Summaries.Keys.Select(p => new PairKey(p.Target, p.Source))];
        }
        catch (Exception e) when (e is CheckpointException or CheckpointVersionException)
        {
            // The records of the restore can't be read. The account's folders are then backed up as new ones, as they would be without a
            // restore.
            return [];
        }
    }
}
