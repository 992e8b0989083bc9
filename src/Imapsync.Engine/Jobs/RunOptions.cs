namespace Imapsync.Engine.Jobs;

/// <param name="DryRun">Say what would be done, change nothing.</param>
/// <param name="Heal">Fetch again what was copied and is gone from a backup, or damaged there.</param>
public sealed record RunOptions(bool DryRun = false, bool Heal = false)
{
    /// <summary>Messages that runs before this one have removed and that count for its deletion limit as well: to many runs in a row each removes little.</summary>
    public long RemovedBefore { get; init; }
}
