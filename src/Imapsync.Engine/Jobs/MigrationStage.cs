namespace Imapsync.Engine.Jobs;

/// <summary>Where a migration stands that is done in waves.</summary>
public enum MigrationStage
{
    /// <summary>It is none; the job's rules hold as they are.</summary>
    None,

    /// <summary>The source is in use and the target is not.</summary>
    PreSync,

    /// <summary>Around the cut-over: until <see cref="JobDefinition.Cutover"/> the source is in use, then the target is.</summary>
    Final,
}
