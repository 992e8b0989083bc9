using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <param name="Summary">The pair's summary; null unless the pair is up to date.</param>
/// <param name="Vanished">Messages that have a copy at the target and are no longer at the source.</param>
internal sealed record FolderOutcome(PairSummary? Summary, IReadOnlyList<SettledMessage> Vanished, bool WasStopped)
{
    /// <summary>True if damaged copies are still at the target.</summary>
    public bool HasDamaged { get; init; }

    /// <summary>Sizes in octets of the messages that could not be copied to the target; -1 for an unknown size.</summary>
    public IReadOnlyList<long> Unplaced { get; init; } = [];

    /// <summary>The messages that the target should hold according to the checkpoint; null if the pair was not finished.</summary>
    public BroughtMessages? Brought { get; init; }
}
