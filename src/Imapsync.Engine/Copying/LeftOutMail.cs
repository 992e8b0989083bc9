using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Mail that vanished and is there again under another UID (moved away and back, restored), where the rules leave it out by now. It
/// lives, and what rules leave out keeps the copy it has: it is no reason to remove that.
/// </summary>
internal static class LeftOutMail
{
    /// <summary>Takes it out of what the plan leaves out and of what it has as vanished.</summary>
    /// <param name="taken">Target UIDs that are somebody's already.</param>
    /// <returns>Source and target messages that are the same.</returns>
    public static async Task<IReadOnlyList<(MessageInfo Source, MessageInfo Target)>> FindAsync(
        MessageRecognition recognition, FolderPlan plan, IEnumerable<Uid> taken, CancellationToken cancellationToken)
    {
        var gone = plan.Vanished.Where(m => !m.Target.IsNone).ToLookup(m => (long?)(m.Checksum?.Length ?? m.Seen?.Size) ?? -1, m => m.Target);
        if (gone.Count == 0)
            return [];
        var back = plan.Skip.Where(m => gone.Contains(m.Size) || gone.Contains(-1)).ToList();
        if (back.Count == 0)
            return [];
        var copies = back.Select(m => m.Size).Append(-1L).Distinct().SelectMany(s => gone[s]).Except(taken).ToHashSet();
        var found = await recognition.RecognizeAsync(back, new Uid(uint.MaxValue), new HashSet<Uid>(), cancellationToken, copies);
        var living = found.Select(f => f.Target.Uid).ToHashSet();
        var replaced = plan.Vanished.Where(m => living.Contains(m.Target)).Select(m => m.Source).ToHashSet();
        plan.Vanished.RemoveAll(m => replaced.Contains(m.Source));
        plan.Forget.AddRange(replaced);
        var sources = found.Select(f => f.Source.Uid).ToHashSet();
        plan.Skip.RemoveAll(m => sources.Contains(m.Uid));
        plan.Skipped -= found.Count;
        return found;
    }
}
