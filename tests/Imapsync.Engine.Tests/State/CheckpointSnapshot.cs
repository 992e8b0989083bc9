using Imapsync.Engine.State;

namespace Imapsync.Engine.Tests.State;

/// <summary>Describes everything that can be read from a checkpoint, for comparison.</summary>
public static class CheckpointSnapshot
{
    public static string Describe(this ICheckpoint checkpoint) =>
        $"{checkpoint.SourceValidity}/{checkpoint.TargetValidity} {checkpoint.SourceModSeq} {checkpoint.KnownTargetUidNext} {checkpoint.MoveUnderWay} [{string.Join(' ', checkpoint.DamagedCopies.Select(d => $"{d.Key}<{d.Value}"))}] '{checkpoint.Rules}' "
        + string.Join(';', checkpoint.Messages)
        + " " + string.Join(',', Enum.GetValues<Settlement>().Select(checkpoint.Count));
}
