using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>What a dry run would have written to the checkpoints of pairs that share a target.</summary>
internal sealed class PretendedWork
{
    /// <summary>Target messages that a pair recognised as its own.</summary>
    public HashSet<Uid> Recognized { get; } = [];

    /// <summary>Pairs that met for the first time: what their checkpoints still say is void.</summary>
    public HashSet<PairKey> StartedOver { get; } = [];
}
