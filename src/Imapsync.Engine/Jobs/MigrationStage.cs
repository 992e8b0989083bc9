namespace Imapsync.Engine.Jobs;

/// <summary>The stage of a migration that is done in waves.</summary>
public enum MigrationStage
{
    /// <summary>The job is not part of such a migration, so its own rules apply unchanged.</summary>
    None,

    /// <summary>The source is in use, the target is not yet.</summary>
    PreSync,

    /// <summary>The time around the cut-over: the source is in use until <see cref="JobDefinition.Cutover"/>, then the target.</summary>
    Final,
}
