using Imapsync.Engine.Jobs;
using Imapsync.Imap;

namespace Imapsync.Engine.Verifying;

/// <summary>Checks whether one message's flags at the target are as the flag policy promises. Pure.</summary>
internal static class FlagPolicyCheck
{
    /// <param name="source">The source's current flags. Without the source, the source's flags that were propagated last.</param>
    /// <param name="propagated">The source's flags that were propagated last; null if the messages were matched by identity only.</param>
    /// <returns>A description of the difference; null if there is none.</returns>
    public static (string Text, bool IsInformation)? Check(FlagPolicy policy, FlagSet source, FlagSet? propagated, FlagSet target)
    {
        if (source.Equals(target))
            return null;
        return policy switch
        {
            FlagPolicy.Once => null,
            FlagPolicy.Exact => ($"the flags are ({source}) and at the target ({target})", false),
            // With Yield a difference is only information: flags that a user changed at the target stay as they are there.
            FlagPolicy.Yield => CheckFollowed(source, propagated, target) is var (text, _) ? (text, true) : null,
            _ => CheckFollowed(source, propagated, target),
        };
    }

    private static (string Text, bool IsInformation)? CheckFollowed(FlagSet source, FlagSet? propagated, FlagSet target)
    {
        if (propagated is null)
            return source.Except(target) is { IsEmpty: false } lacking ? ($"the target lacks ({lacking})", false) : null;
        var toAdd = source.Except(propagated).Except(target);
        var taken = propagated.Except(source);
        var toRemove = taken.Except(taken.Except(target));
        if (!toAdd.IsEmpty || !toRemove.IsEmpty)
            return ($"changed at the source since the last run and not yet at the target: {Describe(toAdd, "added")}{Describe(toRemove, "removed")}", false);
        // This is only information, because a flag that was not copied looks like a flag that a user removed at the target. Flags added by
        // users are not reported.
        var lost = source.Except(target);
        return lost.IsEmpty ? null : ($"({lost}) is not set at the target: left out when it was copied, or taken away there since", true);
    }

    private static string Describe(FlagSet flags, string what) => flags.IsEmpty ? "" : $"({flags}) {what} ";
}
