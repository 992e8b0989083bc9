namespace Imapsync.Engine.Jobs;

/// <summary>Options for a run.</summary>
/// <param name="DryRun">Whether to report what a run would do without changing anything.</param>
/// <param name="Heal">Whether to copy again messages that are missing from a backup or damaged there.</param>
public sealed record RunOptions(bool DryRun = false, bool Heal = false)
{
    /// <summary>Messages that runs before this one have removed and that count for its deletion limit as well: to many runs in a row each removes little.</summary>
    public long RemovedBefore { get; init; }
}
