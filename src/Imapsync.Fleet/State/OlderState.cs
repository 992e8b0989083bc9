using Imapsync.Engine.Files;
using Imapsync.Engine.State;

namespace Imapsync.Fleet.State;

/// <summary>
/// An account's state in a directory, where earlier versions of this program kept it. It is copied into the database once and then removed.
/// </summary>
/// <param name="directory">The directory of the newest attempt.</param>
/// <param name="remove">Removes the state from the directory.</param>
internal sealed class OlderState(string directory, TimeProvider time, Action remove)
{
    /// <summary>
    /// The order of copying. The mark of an append in progress comes first and the summary last, so that an interrupted copy never looks
    /// complete.
    /// </summary>
    private static readonly StateName[] BeforeJournals = [StateName.Appending, StateName.Accounts, StateName.TrashOrigins, StateName.VerifyCursor, StateName.SourceBudget, StateName.TargetBudget];

    /// <exception cref="CheckpointVersionException">The state was written by a newer version of this program.</exception>
    public async Task CopyToAsync(IStateMedium target, CancellationToken cancellationToken)
    {
        await using var source = new FileMedium(new StateLocation(directory), time);
        foreach (var name in BeforeJournals)
            await CopyAsync(source, target, name, cancellationToken);
        await using (var checkpoints = await CheckpointStore.OpenAsync(new FileMedium(new StateLocation(directory), time), readOnly: true, cancellationToken))
        {
            foreach (var pair in await checkpoints.FindPairsAsync(cancellationToken))
                await CopyAsync(source, target, StateName.Journal(pair), cancellationToken);
        }

        await CopyAsync(source, target, StateName.Summary, cancellationToken);
    }

    public void Remove()
    {
        try
        {
            remove();
        }
        catch (Exception e) when (FileErrors.Is(e))
        {
            // Old state that can't be removed does no harm. The database records that the copy is complete, so the old state is not read
            // again.
        }
    }

    private static async Task CopyAsync(FileMedium source, IStateMedium target, StateName name, CancellationToken cancellationToken)
    {
        if (await source.OpenAsync(name, cancellationToken) is not { } opened)
            return;
        using var content = opened;
        await target.ReplaceAsync(name, async (stream, token) =>
        {
            var buffer = new byte[64 * 1024];
            var offset = 0L;
            while (await content.ReadAsync(buffer, offset, token) is > 0 and var read)
            {
                await stream.WriteAsync(buffer.AsMemory(0, read), token);
                offset += read;
            }
        }, cancellationToken);
    }
}
