using Imapsync.Fuzz.Tests.Targets;

namespace Imapsync.Fuzz.Tests;

/// <summary>All readers of octets that others wrote. A new one gets a row in its room's list.</summary>
internal static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
        [.. WireTargets.All, .. ReplyTargets.All, .. SaslTargets.All, .. MaildirTargets.All, .. MboxTargets.All, .. CheckpointTargets.All, .. JobFileTargets.All, .. SourceTargets.All, .. DiscoveryTargets.All, .. ServingTargets.All];
}
