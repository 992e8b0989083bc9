namespace Imapsync.Engine.Jobs;

/// <param name="DryRun">Say what would be done, change nothing.</param>
/// <param name="Heal">Fetch again what was copied and is gone from a backup, or damaged there.</param>
public sealed record RunOptions(bool DryRun = false, bool Heal = false);
