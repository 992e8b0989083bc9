using Imapsync.Fuzz.Tests.Targets;

namespace Imapsync.Fuzz.Tests;

/// <summary>All readers of untrusted octets. A new reader is added to the list of its component.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
        [.. WireTargets.All, .. ReplyTargets.All, .. SaslTargets.All, .. MaildirTargets.All, .. MboxTargets.All, .. CheckpointTargets.All, .. JobFileTargets.All, .. SourceTargets.All, .. DiscoveryTargets.All, .. ServingTargets.All];
}
