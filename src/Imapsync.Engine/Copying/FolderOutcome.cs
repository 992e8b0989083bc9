using Imapsync.Engine.State;

namespace Imapsync.Engine.Copying;

/// <param name="Summary">How the pair stands, where it is up to date.</param>
/// <param name="Vanished">Settled messages that are no longer at the source.</param>
internal sealed record FolderOutcome(PairSummary? Summary, IReadOnlyList<SettledMessage> Vanished, bool WasStopped)
{
    /// <summary>Copies known to be damaged lie at the target still.</summary>
    public bool HasDamaged { get; init; }

    /// <summary>Sizes of messages that could not be copied; -1 where not known.</summary>
    public IReadOnlyList<long> Unplaced { get; init; } = [];

    /// <summary>What the checkpoint says of the target, where the pair was worked through.</summary>
    public BroughtMessages? Brought { get; init; }
}
