using Imapsync.Engine.Jobs;
using Imapsync.Imap;

namespace Imapsync.Engine.Verifying;

/// <summary>What a flag policy promises of one message's flags at the target. Pure.</summary>
internal static class FlagPolicyCheck
{
    /// <param name="source">As they are now; offline, as last propagated.</param>
    /// <param name="propagated">The source's flags when they were last propagated; null where the messages met by identity only.</param>
    /// <returns>What is wrong, or null.</returns>
    public static (string Text, bool IsInformation)? Check(FlagPolicy policy, FlagSet source, FlagSet? propagated, FlagSet target)
    {
        if (source.Equals(target))
            return null;
        return policy switch
        {
            FlagPolicy.Once => null,
            FlagPolicy.Exact => ($"the flags are ({source}) and at the target ({target})", false),
            // A user of the target may have been there before the change.
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
        // Lost, or taken away by the target's user, who may: nobody can tell. What a user adds is no news at all.
        var lost = source.Except(target);
        return lost.IsEmpty ? null : ($"({lost}) is not set at the target: left out when it was copied, or taken away there since", true);
    }

    private static string Describe(FlagSet flags, string what) => flags.IsEmpty ? "" : $"({flags}) {what} ";
}
