using Imapsync.Engine.Mail;
using Imapsync.Engine.Matching;
using Imapsync.Engine.State;
using Imapsync.Imap;

namespace Imapsync.Engine.Copying;

/// <summary>
/// Finds vanished messages that are at the source again under another UID (moved away and back, or restored) and that the filter now
/// excludes. Their copies are not removed, because excluded mail keeps its copy.
/// </summary>
internal static class LeftOutMail
{
    /// <summary>
    /// Finds the messages described above. Each is taken out of the messages to skip, and the record under its earlier UID is dropped.
    /// </summary>
    /// <param name="taken">Target UIDs that already belong to other source messages.</param>
    /// <returns>The pairs of source and target messages that are the same.</returns>
    public static async Task<IReadOnlyList<(MessageInfo Source, MessageInfo Target)>> FindAsync(
        JobContext context, MessageRecognition recognition, IMessageFolder target, FolderPlan plan, IEnumerable<Uid> taken, CancellationToken cancellationToken)
    {
        if (plan.Skip.Count == 0 || !plan.Reusable.Any())
            return [];
        var copies = await LikelyCopies.ChooseReusableAsync(context, target, plan.Skip, plan, cancellationToken);
        copies.ExceptWith(taken);
        if (copies.Count == 0)
            return [];
        var found = await recognition.RecognizeAsync(plan.Skip, new Uid(uint.MaxValue), new HashSet<Uid>(), cancellationToken, copies, vanished: copies);
        plan.TakeOver(found.Select(f => f.Target.Uid).ToHashSet());
        var sources = found.Select(f => f.Source.Uid).ToHashSet();
        plan.Skip.RemoveAll(m => sources.Contains(m.Uid));
        plan.Skipped -= found.Count;
        return found;
    }
}
