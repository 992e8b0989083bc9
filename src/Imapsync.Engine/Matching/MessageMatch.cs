using Imapsync.Engine.Mail;
using Imapsync.Engine.State;

namespace Imapsync.Engine.Matching;

/// <summary>A message of the source and its counterpart at the target.</summary>
/// <param name="Known">
/// The checkpoint's record of the message; null where there is none, and the two were recognised as equal by their headers and contents.
/// </param>
internal readonly record struct MessageMatch(MessageInfo Source, MessageInfo Target, SettledMessage? Known)
{
    public const int GroupMessages = 250;
    private const long GroupBytes = 64 << 20;

    /// <summary>Splits the matches, in the order given, into groups of limited number and size.</summary>
    public static IEnumerable<List<MessageMatch>> Groups(IEnumerable<MessageMatch> matches)
    {
        var group = new List<MessageMatch>();
        var bytes = 0L;
        foreach (var match in matches)
        {
            group.Add(match);
            bytes += Math.Max(0, match.Target.Size);
            if (group.Count < GroupMessages && bytes < GroupBytes)
                continue;
            yield return group;
            (group, bytes) = ([], 0);
        }

        if (group.Count > 0)
            yield return group;
    }
}
