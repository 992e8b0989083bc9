namespace Imapsync.Engine.Jobs;

/// <summary>Options for a run.</summary>
/// <param name="DryRun">Whether to report what a run would do without changing anything.</param>
/// <param name="Heal">Whether to copy again messages that are missing from a backup or damaged there.</param>
public sealed record RunOptions(bool DryRun = false, bool Heal = false)
{
    /// <summary>
    /// The number of messages that earlier runs removed and that count toward this run's deletion limit. Otherwise many runs that each
    /// remove a few messages could together exceed the limit.
    /// </summary>
    public long RemovedBefore { get; init; }
}
